import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import test, { type ExecutionContext } from "ava";
import { createApiClient, type ApiClient } from "../../src/api-client/index.ts";
import { createIntrospectionCaller, type IntrospectionOperations } from "../../src/api-client/introspection-caller.ts";
import { AccessTokenRefused, createResourceServer, IntrospectionUnavailable } from "../../src/resource-server/index.ts";
import { startBackendProcess } from "../support/backend-process.ts";
import { writeBackendConfiguration } from "./backend-configuration.ts";
import { apiSecret, secretOf, serviceAccessToken, serviceId } from "../support/settings.ts";

const secrets = {
  SECRET_KEY: Buffer.alloc(32, 9).toString("base64"),
  API_SECRET: apiSecret,
  ACCESS_TOKEN: serviceAccessToken,
  CLIENT_SECRET: secretOf(1),
};
const parameters = `client_id=1&client_secret=${secretOf(1)}`;

/** Two backend processes over one store: tokens end at one, and the library knows the other alone. */
async function start(t: ExecutionContext) {
  const configuration = await writeBackendConfiguration(t);
  await change(configuration, (text) => grants.reduce((before, [from, to]) => before.replace(from, to), text));
  const here = await startBackendProcess(t, configuration, secrets);
  const there = await startBackendProcess(t, configuration, secrets);
  const connectionTo = (baseUrl: string) => ({
    baseUrl,
    serviceId,
    credentials: { accessToken: serviceAccessToken },
    timeout: { attempt: 30_000, total: 30_000 },
  });
  const api = createApiClient(connectionTo(there.url));
  const caller = createIntrospectionCaller(connectionTo(here.url));
  const begun = Promise.withResolvers<undefined>();
  const asked: string[] = [];
  const backend: IntrospectionOperations = {
    ...caller,
    authIntrospectionStandard(request, more) {
      asked.push(request.parameters);
      return caller.authIntrospectionStandard(request, more);
    },
    async *authIntrospectionEvents(request, more) {
      for await (const message of caller.authIntrospectionEvents(request, more)) {
        yield message;
        // Whoever takes the next one has taken this one in.
        if (message.type === "heartbeat") begun.resolve(undefined);
      }
    },
  };
  // Without events every answer would serve for ten minutes.
  const resourceServer = createResourceServer({ backend, cache: { ttl: 600 }, timeout: 30_000 });
  t.teardown(async () => {
    await resourceServer.close();
    await caller.close();
    await api.close();
  });
  const authorize = (token: string, requirement: { readonly scopes?: readonly string[] } = {}) =>
    resourceServer.authorize({ token, certificate: undefined, requirement: { binding: "if-bound", ...requirement } });
  return { here, api, configuration, authorize, begun: begun.promise, asked };
}

const redirectUri = "https://client.example.com/cb";
const all = "[AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS]";
const members = `grantTypes: ${all}
        redirectUris: [${redirectUri}]
        clientSecret: { env: CLIENT_SECRET }`;
const client = (id: number) => `
      - clientId: ${id}
        clientType: CONFIDENTIAL
        tokenAuthMethod: CLIENT_SECRET_POST
        ${members}
`;
/** The service has the grants of users, and two clients more. */
const grants = [
  ["    supportedScopes:", `    supportedGrantTypes: ${all}\n    supportedScopes:`],
  ["clientSecret: { env: CLIENT_SECRET }\n", `${members}\n${client(2)}${client(3)}`],
] as const;

async function change(configuration: string, by: (text: string) => string): Promise<void> {
  await writeFile(configuration, by(await readFile(configuration, "utf8")));
}

async function issue(api: ApiClient): Promise<string> {
  const { accessToken = "" } = await api.authToken({ parameters: `grant_type=client_credentials&${parameters}` });
  return accessToken;
}

test("a revocation at one backend process reaches an API and its live decisions that use another", async (t) => {
  const { api, authorize, begun, asked } = await start(t);
  const [revoked, other] = [await issue(api), await issue(api)];
  await authorize(other);
  await begun;
  const { signal } = await authorize(revoked);
  t.is((await authorize(other)).signal.aborted, false);
  t.is(asked.length, 2);
  const ended = once(signal, "abort");
  await api.authRevocation({ parameters: `token=${revoked}&${parameters}` });
  await ended;
  t.true(signal.reason instanceof AccessTokenRefused);
  await t.throwsAsync(authorize(revoked), { instanceOf: AccessTokenRefused });
  await authorize(other);
  t.deepEqual(
    asked.map((text) => new URLSearchParams(text).get("token")),
    [other, revoked, revoked],
  );
});

/** A token made without a request of the client. */
async function create(api: ApiClient, more: object = {}): Promise<string> {
  const { accessToken = "" } = await api.authTokenCreate({ grantType: "CLIENT_CREDENTIALS", clientId: 1, ...more });
  return accessToken;
}

for (const [how, end] of [
  ["deleted", (api: ApiClient, token: string) => api.authTokenDelete({ accessTokenIdentifier: token })],
  ["revoked by its value", (api: ApiClient, token: string) => api.authTokenRevoke({ accessTokenIdentifier: token })],
  ["revoked with all of its client", (api: ApiClient) => api.authTokenRevoke({ clientIdentifier: "1" })],
] as const) {
  test(`a token created at one backend process and ${how} there is accepted, then rejected, via another`, async (t) => {
    const { api, authorize, begun } = await start(t);
    const [ended, first] = [await create(api), await create(api)];
    await authorize(first);
    await begun;
    const { signal } = await authorize(ended);
    const aborted = once(signal, "abort");
    await end(api, ended);
    await aborted;
    t.true(signal.reason instanceof AccessTokenRefused);
    await t.throwsAsync(authorize(ended), { instanceOf: AccessTokenRefused });
  });
}

test("scopes that are taken from a token at one backend process are missing at an API that knows another", async (t) => {
  const { api, authorize, begun, asked } = await start(t);
  const token = await create(api, { scopes: ["read", "write"] });
  await authorize(token);
  await begun;
  const { signal } = await authorize(token, { scopes: ["write"] });
  const aborted = once(signal, "abort");
  const before = asked.length;
  t.is((await api.authTokenUpdate({ accessToken: token, scopes: ["read"] })).action, "OK");
  await aborted;
  const refused = await t.throwsAsync(authorize(token, { scopes: ["write"] }), { instanceOf: AccessTokenRefused });
  t.is(refused.status, 403);
  await t.notThrowsAsync(authorize(token, { scopes: ["read"] }));
  t.true(asked.length > before);
});

test("when its backend process is gone, hot tokens are served and cold ones are 503", async (t) => {
  const { here, api, authorize, begun } = await start(t);
  const [hot, cold] = [await issue(api), await issue(api)];
  await authorize(hot);
  await begun;
  await here.end("SIGKILL");
  await t.notThrowsAsync(authorize(hot));
  await t.throwsAsync(authorize(cold), { instanceOf: IntrospectionUnavailable });
});

/** A token of a user, with its refresh token, as the client came by it. */
async function redeem(api: ApiClient) {
  const asked = { response_type: "code", client_id: "1", redirect_uri: redirectUri };
  const { ticket } = await api.authAuthorization({ parameters: new URLSearchParams(asked).toString() });
  const { authorizationCode } = await api.authAuthorizationIssue({ ticket, subject: "user-0" });
  const code = `grant_type=authorization_code&code=${authorizationCode}&redirect_uri=${redirectUri}&${parameters}`;
  const { accessToken = "", refreshToken = "" } = await api.authToken({ parameters: code });
  return { accessToken, refreshToken, code };
}

interface Ending {
  readonly token: string;
  readonly end: () => Promise<unknown>;
}

const thumbprint = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
const ofUser = (subject: string, clientId = 1) => ({ grantType: "AUTHORIZATION_CODE", clientId, subject });

/** What ends a token besides what has a test of its own, each with a token of its own. */
const causes: Readonly<Record<string, (api: ApiClient) => Promise<Ending>>> = {
  "all of its user": async (api) => {
    const token = await create(api, ofUser("user-1"));
    return { token, end: () => api.authTokenRevoke({ subject: "user-1" }) };
  },
  "all of its user with its client": async (api) => {
    const token = await create(api, ofUser("user-2"));
    return { token, end: () => api.authTokenRevoke({ subject: "user-2", clientIdentifier: "1" }) };
  },
  "its refresh token, by the API's caller": async (api) => {
    const { accessToken, refreshToken } = await redeem(api);
    return { token: accessToken, end: () => api.authTokenRevoke({ refreshTokenIdentifier: refreshToken }) };
  },
  "its refresh token, by the client": async (api) => {
    const { accessToken, refreshToken } = await redeem(api);
    return {
      token: accessToken,
      end: () => api.authRevocation({ parameters: `token=${refreshToken}&${parameters}` }),
    };
  },
  "a certificate that it is bound to from now on": async (api) => {
    const token = await create(api);
    return { token, end: () => api.authTokenUpdate({ accessToken: token, certificateThumbprint: thumbprint }) };
  },
  "an expiry that is past": async (api) => {
    const token = await create(api);
    return { token, end: () => api.authTokenUpdate({ accessToken: token, accessTokenExpiresAt: 1000 }) };
  },
  "its code, redeemed again": async (api) => {
    const { accessToken, code } = await redeem(api);
    return { token: accessToken, end: () => api.authToken({ parameters: code }) };
  },
  "a refresh token that is used after its successor": async (api) => {
    const { accessToken, refreshToken } = await redeem(api);
    const refresh = (token: string) =>
      api.authToken({ parameters: `grant_type=refresh_token&refresh_token=${token}&${parameters}` });
    const { refreshToken: second = "" } = await refresh(refreshToken);
    await refresh(second);
    return { token: accessToken, end: () => refresh(refreshToken) };
  },
};

/** Lets the token in, ends it, and sees the decision that lives end with it, and the token refused. */
async function seeEnd(
  t: ExecutionContext,
  { authorize }: Pick<Awaited<ReturnType<typeof start>>, "authorize">,
  { token, end }: Ending,
  what: string,
): Promise<void> {
  const { signal } = await authorize(token);
  const aborted = once(signal, "abort");
  await end();
  await aborted;
  await t.throwsAsync(authorize(token), { instanceOf: AccessTokenRefused }, what);
}

test("whatever ends a token at one backend process ends it at an API that knows another: each cause", async (t) => {
  const { api, authorize, begun } = await start(t);
  const endings = await Promise.all(
    Object.entries(causes).map(async ([what, make]) => ({ what, ...(await make(api)) })),
  );
  const other = await create(api);
  await authorize(other);
  await begun;
  for (const { what, ...ending } of endings) await seeEnd(t, { authorize }, ending, what);
  await t.notThrowsAsync(authorize(other));
});

test("a locked client and a removed one lose their tokens at an API that uses another backend process", async (t) => {
  const { api, configuration, authorize, begun } = await start(t);
  const [locked, gone, other] = [
    await create(api, { clientId: 2 }),
    await create(api, { clientId: 3 }),
    await create(api),
  ];
  await authorize(other);
  await begun;
  const restarted =
    (by: (text: string) => string, ...more: readonly string[]) =>
    async () => {
      await change(configuration, by);
      await startBackendProcess(t, configuration, secrets, more);
    };
  const lock = restarted((text) => text.replace("clientId: 2\n", "clientId: 2\n        locked: true\n"));
  await seeEnd(t, { authorize }, { token: locked, end: lock }, "locked");
  const remove = restarted((text) => text.replace(client(3), "\n"), "--allow-removal", `${serviceId}/3`);
  await seeEnd(t, { authorize }, { token: gone, end: remove }, "gone");
  await t.notThrowsAsync(authorize(other));
});
