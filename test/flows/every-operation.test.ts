import { readFile } from "node:fs/promises";
import test, { type ExecutionContext } from "ava";
import { parse } from "yaml";
import { z } from "zod";
import { version } from "../../src/backend/version.ts";
import type { TokenCreateRequest } from "../../src/contract/auth-token-create.ts";
import { operations, type OperationName } from "../../src/contract/operations.ts";
import { startAuthorizationServer, startDeployment } from "../support/deployment.ts";
import { basic, send } from "../support/https-request.ts";
import {
  apiSecret,
  clientSettings,
  secretOf,
  serviceAccessToken,
  serviceId,
  serviceSettings,
} from "../support/settings.ts";
import { createServiceKey, serviceJwks } from "../support/signing-keys.ts";

// Every operation of a backend that listens: its answers against the documents, and other services' credentials at it.

const redirectUri = "https://client.example.com/cb";
const grantTypes = ["AUTHORIZATION_CODE", "REFRESH_TOKEN", "CLIENT_CREDENTIALS", "PASSWORD"] as const;
const clients = [
  clientSettings({
    clientId: 1,
    clientIdAlias: "one",
    clientIdAliasEnabled: true,
    clientName: "One",
    grantTypes,
    redirectUris: [redirectUri],
    tlsClientCertificateBoundAccessTokens: false,
    idTokenSignAlg: "ES256",
  }),
];
const common = {
  // Both services manage tokens: what the other one keeps must be nothing to it all the same.
  introspectionOfRefreshTokens: true,
  serviceName: "Example",
  supportedGrantTypes: grantTypes,
  supportedScopes: [{ name: "openid", description: "Who you are" }, { name: "read" }],
  jwks: serviceJwks([createServiceKey("P256", "k-1")]),
  accessTokenSignAlg: "ES256",
  defaultResources: ["https://api.example.com"],
} as const;
const other = serviceSettings({
  ...common,
  apiKey: serviceId + 1,
  issuer: "https://other.example.com",
  jwks: serviceJwks([createServiceKey("P256", "k-2")]),
  apiSecret: "other-service-secret-0123456789abcdefghijkl",
  accessTokens: ["other-service-access-token-0123456789abcde"],
});

async function start(t: ExecutionContext) {
  const deployment = await startDeployment(t, {
    service: common,
    clients,
    otherServices: [{ settings: other, clients }],
  });
  return { ...deployment, ofOther: (await startAuthorizationServer(t, deployment.backendUrl, other)).api };
}

const asClient = { clientId: "1", clientSecret: secretOf(1) };
const asked = new URLSearchParams({
  response_type: "code",
  client_id: "1",
  redirect_uri: redirectUri,
  scope: "openid read",
  claims: '{"userinfo":{"email":{"essential":true}}}',
}).toString();
const ofCode = (code: unknown) =>
  new URLSearchParams({ grant_type: "authorization_code", code: String(code), redirect_uri: redirectUri }).toString();
const ofUser = new URLSearchParams({ grant_type: "password", username: "u", password: "p", scope: "read" }).toString();
const chosen = {
  grantType: "AUTHORIZATION_CODE",
  clientId: 1,
  subject: "user-1",
  scopes: ["read"],
} satisfies TokenCreateRequest;
const properties = [{ key: "tier", value: "gold", hidden: false }];

type Answer = Readonly<Record<string, unknown>>;
type Ask = (name: OperationName, request?: Readonly<Record<string, unknown>>) => Promise<Answer>;

/** Each operation at least once, each time as one that has something to say. */
async function walk(ask: Ask): Promise<void> {
  const { ticket } = await ask("authAuthorization", { parameters: asked, context: "session" });
  await ask("authAuthorizationTicketUpdate", { ticket, info: { context: "session=42" } });
  await ask("authAuthorizationTicketInfo", { ticket });
  const { authorizationCode } = await ask("authAuthorizationIssue", { ticket, subject: "user-1", properties });
  const { ticket: refused } = await ask("authAuthorization", { parameters: asked });
  await ask("authAuthorizationFail", { ticket: refused, reason: "DENIED" });
  const { accessToken, refreshToken } = await ask("authToken", { parameters: ofCode(authorizationCode), ...asClient });
  await ask("authToken", { parameters: `grant_type=refresh_token&refresh_token=${String(refreshToken)}`, ...asClient });
  await ask("authUserinfo", { token: accessToken });
  await ask("authUserinfoIssue", { token: accessToken, claims: '{"email":"a@example.com"}' });
  await ask("authIntrospection", { token: accessToken, scopes: ["read"], subject: "user-1" });
  await ask("authIntrospectionStandard", { parameters: `token=${String(accessToken)}` });
  await ask("authTokenUpdate", { accessToken, scopes: ["read"], properties });
  const { ticket: login } = await ask("authToken", { parameters: ofUser, ...asClient });
  await ask("authTokenIssue", { ticket: login, subject: "user-2" });
  const { ticket: wrong } = await ask("authToken", { parameters: ofUser, ...asClient });
  await ask("authTokenFail", { ticket: wrong, reason: "INVALID_RESOURCE_OWNER_CREDENTIALS" });
  const { accessToken: created } = await ask("authTokenCreate", { ...chosen, properties });
  await ask("authTokenGetList", { clientIdentifier: "one", subject: "user-1", tokenStatus: "VALID", start: 0, end: 9 });
  await ask("authTokenGetList");
  await ask("authTokenDelete", { accessTokenIdentifier: created });
  await ask("authRevocation", { parameters: `token=${String(accessToken)}`, ...asClient });
  await ask("authTokenRevoke", { clientIdentifier: "1", subject: "user-2" });
  await ask("serviceConfiguration", { pretty: true });
  await ask("serviceConfigurationPost", { patch: '[{"op":"remove","path":"/issuer"}]' });
  await ask("serviceJwksGet", { includePrivateKeys: true });
  await ask("info");
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Documented>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}
interface Documented {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { schema: object }>> }>>;
}

const root = new URL("../../", import.meta.url);
const files = { v3: "openapi.yaml", v2: "openapi-v2.yaml" } as const;

/** The schema with what it refers to in its place; objects have the members that are listed, and no others. */
function closed(value: unknown, schemas: Document["components"]["schemas"]): unknown {
  if (Array.isArray(value)) return value.map((element) => closed(element, schemas));
  if (typeof value !== "object" || value === null) return value;
  const { $ref, ...members } = value as { readonly $ref?: string };
  if ($ref !== undefined) return closed(schemas[$ref.slice("#/components/schemas/".length)], schemas);
  const all = Object.fromEntries(Object.entries(members).map(([name, member]) => [name, closed(member, schemas)]));
  const lists = typeof all["properties"] === "object" && Object.keys(all["properties"] ?? {}).length > 0;
  // A key has what its type has (RFC 7517 §4): no list could be whole.
  return lists && value !== schemas["Jwk"] && "additionalProperties" in all
    ? { ...all, additionalProperties: false }
    : all;
}

for (const shape of ["v3", "v2"] as const) {
  test(`${files[shape]} agrees with each operation's response, member by member`, async (t) => {
    const document = parse(await readFile(new URL(files[shape], root), "utf8")) as Document;
    const documented = Object.values(document.paths).flatMap((item) => Object.values(item));
    const { backendUrl } = await start(t);
    const below = shape === "v3" ? `/api/${serviceId}` : "/api";
    const authorization = shape === "v3" ? `Bearer ${serviceAccessToken}` : basic(serviceId, apiSecret);
    const walked = new Set<string>();
    await walk(async (name, request = {}) => {
      const { operationId, method, path, caller } = operations[name];
      const filled = path.replace(/\{([A-Za-z]+)\}/, (_, member: string) =>
        encodeURIComponent(String(request[member])),
      );
      const query = new URLSearchParams(request as Readonly<Record<string, string>>);
      const hasBody = method === "POST";
      const answer = await send({
        url: `${backendUrl}${caller === "none" ? "/api" : below}${filled}${hasBody ? "" : `?${query.toString()}`}`,
        method,
        headers: { authorization, ...(hasBody ? { "content-type": "application/json" } : {}) },
        ...(hasBody ? { body: JSON.stringify(request) } : {}),
      });
      walked.add(operationId);
      const operation = documented.find((candidate) => candidate.operationId === operationId);
      const response = operation?.responses[String(answer.status)];
      t.true(answer.status === 200 || answer.status === 204, `${name}: ${answer.status} ${answer.body}`);
      t.truthy(response, `${name}: ${answer.status}`);
      const schema = response?.content?.["application/json"]?.schema;
      if (schema === undefined) {
        t.is(answer.body, "");
        return {};
      }
      const value = JSON.parse(answer.body) as Answer;
      const checked = z
        .fromJSONSchema(closed(schema, document.components.schemas) as z.core.JSONSchema.JSONSchema)
        .safeParse(value);
      t.true(checked.success, `${name}: ${checked.error?.message} in ${answer.body}`);
      if ("action" in value) {
        t.regex(String(value["action"]), /^(?:OK|INTERACTION|LOCATION|PASSWORD|JSON|BAD_REQUEST|UNAUTHORIZED)$/);
        t.not(value["action"], name === "authTokenFail" ? "OK" : "BAD_REQUEST", `${name}: ${answer.body}`);
      }
      return value;
    });
    const once = Object.values(operations).map(({ operationId }) => operationId);
    t.deepEqual([...walked].sort(), [...once].sort());
  });
}

test("another service's credentials reach no operation of a service, and none of its facts", async (t) => {
  const { api, ofOther, backendUrl, backend } = await start(t);
  const begin = async () => (await api.authAuthorization({ parameters: asked })).ticket ?? "";
  const login = async () => (await api.authToken({ parameters: ofUser, ...asClient })).ticket ?? "";
  const [ticket, toLogIn, toBeCode] = [await begin(), await login(), await begin()];
  const { authorizationCode: code } = await api.authAuthorizationIssue({ ticket: toBeCode, subject: "user-1" });
  const { accessToken = "", jwtAccessToken = "", refreshToken = "" } = await api.authTokenCreate(chosen);
  const tokens = [accessToken, jwtAccessToken, refreshToken];
  const each = <Value>(ask: (token: string) => Promise<Value>) => Promise.all(tokens.map(ask));

  // By the credentials of the one at the paths of the other: nobody there.
  for (const { method, path, caller } of Object.values(operations)) {
    if (caller === "none") continue;
    const filled = path.replace(/\{[A-Za-z]+\}/, accessToken);
    for (const authorization of [`Bearer ${other.accessTokens[0]}`, basic(serviceId, other.apiSecret)]) {
      const below = authorization.startsWith("Bearer") ? `/api/${serviceId}` : "/api";
      const answer = await send({ url: backendUrl + below + filled, method, headers: { authorization } });
      t.is(answer.status, 401, `${method} ${path}`);
    }
  }

  const code404 = (error: unknown) => (error as { resultCode?: string }).resultCode ?? String(error);
  // At its own paths with what is the other's.
  const foreign = {
    authAuthorization: async () => {
      const { service } = await ofOther.authAuthorization({ parameters: asked });
      return service?.apiKey;
    },
    authAuthorizationIssue: async () => (await ofOther.authAuthorizationIssue({ ticket, subject: "u" })).resultCode,
    authAuthorizationFail: async () => (await ofOther.authAuthorizationFail({ ticket, reason: "DENIED" })).resultCode,
    authAuthorizationTicketInfo: async () => (await ofOther.authAuthorizationTicketInfo({ ticket })).action,
    authAuthorizationTicketUpdate: async () =>
      (await ofOther.authAuthorizationTicketUpdate({ ticket, info: { context: "x" } })).action,
    authToken: async () =>
      Promise.all(
        [ofCode(code), `grant_type=refresh_token&refresh_token=${refreshToken}`].map(
          async (parameters) => (await ofOther.authToken({ parameters, ...asClient })).action,
        ),
      ),
    authTokenIssue: async () => (await ofOther.authTokenIssue({ ticket: toLogIn, subject: "user-2" })).action,
    authTokenFail: async () => (await ofOther.authTokenFail({ ticket: toLogIn, reason: "UNKNOWN" })).action,
    authTokenCreate: async () =>
      (await ofOther.authTokenCreate({ ...chosen, accessToken, subject: "user-9" })).resultCode,
    authTokenUpdate: () => each(async (token) => (await ofOther.authTokenUpdate({ accessToken: token })).action),
    authTokenDelete: () =>
      each((accessTokenIdentifier) => ofOther.authTokenDelete({ accessTokenIdentifier }).catch(code404)),
    authTokenRevoke: async () => [
      ...(await each(
        async (accessTokenIdentifier) => (await ofOther.authTokenRevoke({ accessTokenIdentifier })).count,
      )),
      (await ofOther.authTokenRevoke({ refreshTokenIdentifier: refreshToken })).count,
      (await ofOther.authTokenRevoke({ clientIdentifier: "one", subject: "user-1" })).count,
    ],
    authTokenGetList: async () => (await ofOther.authTokenGetList({})).totalCount,
    authIntrospection: () => each(async (token) => (await ofOther.authIntrospection({ token })).action),
    authIntrospectionStandard: () =>
      each(
        async (token) => (await ofOther.authIntrospectionStandard({ parameters: `token=${token}` })).responseContent,
      ),
    authRevocation: () =>
      each(async (token) => (await ofOther.authRevocation({ parameters: `token=${token}`, ...asClient })).action),
    authUserinfo: () => each(async (token) => (await ofOther.authUserinfo({ token })).action),
    authUserinfoIssue: () => each(async (token) => (await ofOther.authUserinfoIssue({ token })).action),
    serviceConfiguration: async () => (await ofOther.serviceConfiguration({}))["issuer"],
    serviceConfigurationPost: async () => (await ofOther.serviceConfigurationPost({}))["issuer"],
    serviceJwksGet: async () => (await ofOther.serviceJwksGet({}))?.keys[0]?.["kid"],
    info: async () => (await ofOther.info(undefined)).version,
  } satisfies Record<OperationName, () => Promise<unknown>>;
  const answers = Object.fromEntries(
    await Promise.all(Object.entries(foreign).map(async ([name, ask]) => [name, await ask()] as const)),
  ) as Record<OperationName, unknown>;
  const thrice = (value: unknown) => [value, value, value];
  t.deepEqual(answers, {
    authAuthorization: other.apiKey,
    authAuthorizationIssue: "A041202",
    authAuthorizationFail: "A059202",
    authAuthorizationTicketInfo: "NOT_FOUND",
    authAuthorizationTicketUpdate: "NOT_FOUND",
    authToken: ["BAD_REQUEST", "BAD_REQUEST"],
    authTokenIssue: "INTERNAL_SERVER_ERROR",
    authTokenFail: "INTERNAL_SERVER_ERROR",
    authTokenCreate: "A144201",
    authTokenUpdate: thrice("NOT_FOUND"),
    authTokenDelete: thrice("A161202"),
    authTokenRevoke: [0, 0, 0, 0, 0],
    authTokenGetList: 0,
    authIntrospection: thrice("UNAUTHORIZED"),
    authIntrospectionStandard: thrice('{"active":false}'),
    // RFC 7009 §2.2: the purpose, that it is of no use, is achieved.
    authRevocation: thrice("OK"),
    authUserinfo: thrice("UNAUTHORIZED"),
    authUserinfoIssue: thrice("UNAUTHORIZED"),
    serviceConfiguration: "https://other.example.com",
    serviceConfigurationPost: "https://other.example.com",
    serviceJwksGet: "k-2",
    info: version,
  });

  // Of all that nothing was touched.
  t.is((await api.authAuthorizationTicketInfo({ ticket })).action, "OK");
  t.is((await api.authTokenIssue({ ticket: toLogIn, subject: "user-2" })).action, "OK");
  t.is((await api.authToken({ parameters: ofCode(code), ...asClient })).action, "OK");
  for (const token of tokens) {
    const { responseContent } = await backend.operationsFor(serviceId).authIntrospectionStandard({
      parameters: `token=${token}`,
    });
    t.like(JSON.parse(responseContent ?? ""), { active: true }, responseContent);
  }
});
