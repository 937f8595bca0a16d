import test, { type ExecutionContext } from "ava";
import type { Command } from "../../../../src/backend/store/command.ts";
import type { ClientSettings, ServiceSettings } from "../../../../src/backend/engine/settings/settings.ts";
import type {
  AuthorizationIssueRequest,
  AuthorizationIssueResponse,
} from "../../../../src/contract/auth-authorization-issue.ts";
import { tokenDigest } from "../../../../src/oauth/token-digest.ts";
import {
  authorizationParameters,
  codeChallenge,
  codeClient,
  codeService,
  parametersOf,
  redirectUri,
} from "../../../support/authorization.ts";
import { createEngineByHand, startInstant, type EngineByHand } from "../../../support/engine.ts";
import { clientSettings, serviceId } from "../../../support/settings.ts";

interface World {
  readonly service?: Partial<ServiceSettings>;
  readonly client?: Partial<ClientSettings>;
  /** Changes to the authorization request. */
  readonly request?: Readonly<Record<string, string | undefined>>;
  readonly context?: string;
  /** Runs before each command after the ticket's own. */
  readonly before?: (byHand: EngineByHand) => Promise<void>;
}

interface Asked {
  readonly byHand: EngineByHand;
  readonly ticket: string;
  /** Commands since the ticket was kept. */
  readonly commands: Command[];
  readonly issue: (request?: Partial<AuthorizationIssueRequest>) => Promise<AuthorizationIssueResponse>;
}

/** An engine with a ticket for a request that a user is to be asked about. */
async function ask(t: ExecutionContext, { service, client, request, context, before }: World = {}): Promise<Asked> {
  const commands: Command[] = [];
  let asked = false;
  const byHand: EngineByHand = await createEngineByHand(t, servicesOf(service, client), {
    around: (store) => ({
      run: async (command) => {
        if (asked) {
          commands.push(command);
          await before?.(byHand);
        }
        return store.run(command);
      },
    }),
  });
  const parameters = authorizationParameters(request);
  const { ticket = "", resultMessage } = await byHand.operations().authAuthorization({ parameters, context });
  t.not(ticket, "", resultMessage);
  asked = true;
  const issue: Asked["issue"] = (more = {}) =>
    byHand.operations().authAuthorizationIssue({ ticket, subject: "john", ...more });
  return { byHand, ticket, commands, issue };
}

function servicesOf(service: Partial<ServiceSettings> = {}, client: Partial<ClientSettings> = {}) {
  const named = clientSettings({ clientId: 77, clientIdAlias: "budget-app" });
  return [{ settings: codeService(service), clients: [codeClient(client), named] }];
}

test("a user agrees: A040001, LOCATION with code, state and iss, and the caller's text back", async (t) => {
  const { issue } = await ask(t, { context: "session=42" });
  const answer = await issue();
  t.is(answer.resultCode, "A040001");
  t.is(answer.action, "LOCATION");
  const code = answer.authorizationCode ?? "";
  t.regex(code, /^[A-Za-z0-9_-]{43}$/);
  const state = "af0ifjsldkj";
  t.is(answer.responseContent, `${redirectUri}?code=${code}&state=${state}&iss=https%3A%2F%2Fas.example.com`);
  t.deepEqual(answer.ticketInfo, { context: "session=42" });
});

test("the code is kept as a digest, with all that its exchange must know, for the service's duration", async (t) => {
  const { byHand, issue, ticket, commands } = await ask(t, {
    service: { authorizationCodeDuration: 90, defaultResources: ["https://api.example.com/"] },
  });
  byHand.setClock(startInstant + 5000);
  const code = (await issue()).authorizationCode ?? "";
  const [command] = commands;
  if (command?.name !== "issue-code") throw new Error("No code was kept.");
  const { grantId, ...kept } = command.code;
  t.deepEqual(command.ticketDigest, new Uint8Array(tokenDigest(ticket)));
  t.is(command.createdAt, startInstant + 5000);
  t.deepEqual(kept, {
    digest: tokenDigest(code),
    subject: "john",
    redirectUri,
    codeChallenge,
    scopes: ["read"],
    resources: ["https://api.example.com/"],
    details: "{}",
    expiresAt: startInstant + 95_000,
  });
  t.regex(grantId, /^[A-Za-z0-9_-]{22}$/);
  t.false(JSON.stringify(command).includes(code));
  t.like(await byHand.store.readCode(serviceId, tokenDigest(code)), { consumed: false, grantId, clientId: 1 });
});

test("a redirect_uri that the request left out is not part of the code", async (t) => {
  const { issue, commands } = await ask(t, { request: { redirect_uri: undefined } });
  const answer = await issue();
  t.true(answer.responseContent?.startsWith(`${redirectUri}?code=`));
  t.is(commands[0]?.name === "issue-code" && commands[0].code.redirectUri, undefined);
});

test("response_mode=form_post: FORM, with the parameters in a form", async (t) => {
  const { issue } = await ask(t, { request: { response_mode: "form_post" } });
  const answer = await issue();
  t.is(answer.action, "FORM");
  t.true(answer.responseContent?.includes(`<form method="post" action="${redirectUri}">`));
  t.true(answer.responseContent?.includes(`name="code" value="${answer.authorizationCode ?? ""}"`));
});

test("the query of a redirect URI and every printable character of state survive", async (t) => {
  const state = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join("");
  const withQuery = `${redirectUri}?a=%20b`;
  const { issue } = await ask(t, {
    client: { redirectUris: [withQuery] },
    request: { redirect_uri: withQuery, state },
  });
  const { responseContent } = await issue();
  t.true(responseContent?.startsWith(`${withQuery}&code=`));
  t.is(parametersOf(responseContent)["state"], state);
});

test("without state the answer has none", async (t) => {
  const { issue } = await ask(t, { request: { state: undefined } });
  t.deepEqual(Object.keys(parametersOf((await issue()).responseContent)), ["code", "iss"]);
});

test("the facts about an OpenID user are kept for the tokens", async (t) => {
  const claims = '{"userinfo":{"nickname":null}}';
  const { issue, commands } = await ask(t, {
    request: { scope: "openid email", nonce: "n-1", claims, max_age: "0" },
  });
  const answer = await issue({
    sub: "j-1",
    authTime: 1_795_000_000,
    acr: "urn:a",
    claims: '{"email":"john@example.com","amr":["pwd"]}',
    properties: [{ key: "tier", value: "gold", hidden: true }],
    idtHeaderParams: '{"x-a":1}',
    jwtAtClaims: '{"tenant":"t1"}',
    consentedClaims: ["email"],
    idTokenAudType: "array",
  });
  t.is(answer.resultCode, "A040001", answer.resultMessage);
  t.deepEqual(JSON.parse(commands[0]?.name === "issue-code" ? commands[0].code.details : ""), {
    acr: "urn:a",
    authTime: 1_795_000_000,
    properties: [{ key: "tier", value: "gold", hidden: true }],
    jwtAtClaims: { tenant: "t1" },
    idToken: {
      nonce: "n-1",
      sub: "j-1",
      claims: { email: "john@example.com", amr: ["pwd"] },
      headerParams: { "x-a": 1 },
      audType: "array",
    },
    userInfoClaims: '{"nickname":null}',
    claimsAtUserInfo: ["email", "email_verified", "nickname"],
    consentedClaims: ["email"],
  });
});

test("members that are null, 0, an empty string or an empty list count as absent", async (t) => {
  const { issue, commands } = await ask(t);
  const none = { sub: "", authTime: 0, acr: "", claims: "", properties: [], scopes: [], consentedClaims: [] };
  const answer = await issue({ ...none, idtHeaderParams: null, jwtAtClaims: null, idTokenAudType: null });
  t.is(answer.resultCode, "A040001");
  t.like(commands[0], { code: { details: "{}", scopes: ["read"] } });
});

test("scopes of the caller's take the place of those asked for, each once", async (t) => {
  const { issue, commands } = await ask(t);
  t.is((await issue({ scopes: ["write", "openid", "write"] })).resultCode, "A040001");
  t.like(commands[0], { code: { scopes: ["write", "openid"], details: '{"idToken":{}}' } });
});

test("a ticket gives one code", async (t) => {
  const { issue } = await ask(t);
  t.is((await issue()).resultCode, "A040001");
  const again = await issue();
  t.is(again.resultCode, "A041202");
  t.is(again.action, "INTERNAL_SERVER_ERROR");
  t.is(again.authorizationCode, undefined);
  t.like(JSON.parse(again.responseContent ?? ""), { error: "server_error" });
});

test("of 20 issues with one ticket at once, one has a code", async (t) => {
  const { issue, byHand, ticket } = await ask(t);
  const answers = await Promise.all(Array.from({ length: 20 }, () => issue()));
  t.is(answers.filter(({ resultCode }) => resultCode === "A040001").length, 1);
  t.is(answers.filter(({ resultCode }) => resultCode === "A041202").length, 19);
  const failed = await byHand.operations().authAuthorizationFail({ ticket, reason: "DENIED" });
  t.is(failed.resultCode, "A059202");
});

test("issued and refused at once, a request has one answer", async (t) => {
  for (let round = 0; round < 10; round++) {
    const { byHand, ticket, issue } = await ask(t);
    const fail = () => byHand.operations().authAuthorizationFail({ ticket, reason: "DENIED" });
    const answers = await Promise.all(round % 2 === 0 ? [issue(), fail(), issue()] : [fail(), issue(), fail()]);
    t.is(answers.filter(({ action }) => action === "LOCATION").length, 1);
  }
});

test("a ticket is valid for 24 hours, and not a millisecond longer", async (t) => {
  const { byHand, issue, commands } = await ask(t);
  byHand.setClock(startInstant + 86_400_000);
  const late = await issue();
  t.is(late.resultCode, "A041301");
  t.is(late.action, "BAD_REQUEST");
  t.like(JSON.parse(late.responseContent ?? ""), { error: "invalid_request" });
  t.deepEqual(commands, []);
  byHand.setClock(startInstant + 86_399_999);
  t.is((await issue()).resultCode, "A040001");
});

test("a ticket of another service, a code in its place and nonsense are unknown: A041202", async (t) => {
  const { byHand, ticket, commands } = await ask(t);
  const other = codeService({ apiKey: serviceId + 1, accessTokens: ["x".repeat(32)] });
  await byHand.configure([...servicesOf(), { settings: other, clients: [codeClient()] }]);
  const foreign = await byHand.operations(serviceId + 1).authAuthorizationIssue({ ticket, subject: "john" });
  t.is(foreign.resultCode, "A041202");
  const own = byHand.operations();
  for (const wrong of [`${ticket}=`, ` ${ticket}`, `${ticket}\n`, ticket.slice(1), "0", "x".repeat(100_000)]) {
    t.is((await own.authAuthorizationIssue({ ticket: wrong, subject: "john" })).resultCode, "A041202", wrong);
  }
  t.deepEqual(commands, []);
  const { authorizationCode } = await own.authAuthorizationIssue({ ticket, subject: "john" });
  t.is((await own.authAuthorizationIssue({ ticket: authorizationCode, subject: "john" })).resultCode, "A041202");
});

const openId = { scope: "openid" };
const essentialAcr = '{"id_token":{"acr":{"essential":true,"values":["a","b"]}}}';

const callerErrors: readonly (readonly [
  what: string,
  request: Partial<AuthorizationIssueRequest>,
  code: string,
  world?: World,
])[] = [
  ["no ticket", { ticket: undefined }, "A041201"],
  ["a null ticket", { ticket: null }, "A041201"],
  ["an empty ticket", { ticket: "" }, "A041201"],
  ["no subject", { subject: undefined }, "A042201"],
  ["a null subject", { subject: null }, "A042201"],
  ["an empty subject", { subject: "" }, "A042201"],
  ["a subject of 101 characters", { subject: "j".repeat(101) }, "A042202"],
  ["a subject beyond ASCII", { subject: "jöhn" }, "A042203"],
  ["a subject with a line break", { subject: "john\n" }, "A042203"],
  ["a sub beyond ASCII", { sub: "jöhn" }, "A042203"],
  ["a sub that is a client's number", { sub: "1" }, "A042204"],
  [
    "another subject than the one asked for",
    { subject: "jane" },
    "A042205",
    {
      request: { ...openId, claims: '{"id_token":{"sub":{"value":"john"}}}' },
    },
  ],
  [
    "another sub than the one asked for",
    { sub: "jane" },
    "A042205",
    {
      request: { ...openId, claims: '{"id_token":{"sub":{"value":"john"}}}' },
    },
  ],
  ["no authTime though max_age=0 was asked for", {}, "A040201", { request: { max_age: "0" } }],
  ["authTime 0 though max_age was asked for", { authTime: 0 }, "A040201", { request: { max_age: "60" } }],
  [
    "no authTime though auth_time is essential",
    {},
    "A040201",
    {
      request: { ...openId, claims: '{"id_token":{"auth_time":{"essential":true}}}' },
    },
  ],
  ["a scope that the service does not have", { scopes: ["read", "x"] }, "A040202"],
  [
    "a scope that the client may not have",
    { scopes: ["write"] },
    "A040202",
    {
      client: { extension: { requestableScopes: ["read"] } },
    },
  ],
  ["a scope that is two", { scopes: ["read write"] }, "A040202"],
  ["a malformed scope", { scopes: ["re\nad"] }, "A040202"],
  ["an acr of 256 characters", { acr: "a".repeat(256) }, "A043201"],
  [
    "no acr though one is essential",
    {},
    "A043202",
    {
      service: { supportedAcrs: ["a", "b"] },
      request: { ...openId, claims: essentialAcr },
    },
  ],
  [
    "another acr than the essential ones",
    { acr: "c" },
    "A043202",
    {
      service: { supportedAcrs: ["a", "b", "c"] },
      request: { ...openId, claims: essentialAcr },
    },
  ],
  ["claims that are no JSON", { claims: "{" }, "A044201"],
  ["claims that are a list", { claims: "[]" }, "A044201"],
  ["claims that are null", { claims: "null" }, "A044201"],
  ...(["claims", "idtHeaderParams", "jwtAtClaims"] as const).map(
    (name, at) =>
      [
        `${name} that are nested without end`,
        { [name]: `{"a":${"[".repeat(16_000)}${"]".repeat(16_000)}}` },
        ["A044201", "A045202", "A045203"][at] ?? "",
      ] as const,
  ),
  ["oversized claims", { claims: `{"a":"${"x".repeat(65_535)}"}` }, "A044201"],
  ...[
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nonce",
    "auth_time",
    "acr",
    "at_hash",
    "c_hash",
    "azp",
    "cnf",
    "sid",
    "scope",
  ].map((name) => [`claims with ${name}`, { claims: JSON.stringify({ a: 1, [name]: "x" }) }, "A044203"] as const),
  ["properties of more than 65535 octets", { properties: [{ key: "a", value: "é".repeat(32_768) }] }, "A045201"],
  ["header parameters that are no JSON object", { idtHeaderParams: "1" }, "A045202"],
  ...["alg", "kid", "jwk", "jku", "x5c", "x5u", "crit", "b64", "typ", "zip", "enc", "epk"].map(
    (name) =>
      [`header parameters with ${name}`, { idtHeaderParams: JSON.stringify({ [name]: "x" }) }, "A045202"] as const,
  ),
  ["claims of JWT access tokens that are no JSON object", { jwtAtClaims: '"a"' }, "A045203"],
  ...["iss", "sub", "aud", "exp", "cnf", "client_id", "scope", "jti", "amr", "active"].map(
    (name) =>
      [
        `claims of JWT access tokens with ${name}`,
        { jwtAtClaims: JSON.stringify({ [name]: "x" }) },
        "A045203",
      ] as const,
  ),
];

for (const [what, request, code, world] of callerErrors) {
  test(`${what}: ${code}, an API caller's error, the ticket stays valid`, async (t) => {
    const { issue, byHand, commands, ticket } = await ask(t, world);
    const answer = await issue(request);
    t.is(answer.resultCode, code);
    t.is(answer.action, "INTERNAL_SERVER_ERROR");
    t.like(JSON.parse(answer.responseContent ?? ""), { error: "server_error" });
    t.is(answer.authorizationCode, undefined);
    t.deepEqual(commands, []);
    t.is((await byHand.operations().authAuthorizationTicketInfo({ ticket })).action, "OK");
  });
}

test("9700-4.15: a user whose name is a client's number or alias gets no code", async (t) => {
  const { issue, commands } = await ask(t);
  for (const subject of ["1", "77", "budget-app"]) {
    const answer = await issue({ subject });
    t.is(answer.resultCode, "A042204", subject);
    t.is(answer.action, "INTERNAL_SERVER_ERROR");
  }
  t.deepEqual(commands, []);
  t.is((await issue({ subject: "budget-app-2" })).resultCode, "A040001");
});

test("the user asked for, an essential acr and the time of authentication are accepted", async (t) => {
  const claims =
    '{"id_token":{"acr":{"essential":true,"value":"a"},"sub":{"value":"j-1"},"auth_time":{"essential":true}}}';
  const { issue } = await ask(t, {
    service: { supportedAcrs: ["a"] },
    request: { scope: "openid", claims, max_age: "60" },
  });
  const answer = await issue({ subject: "john", sub: "j-1", acr: "a", authTime: 1_795_000_000 });
  t.is(answer.resultCode, "A040001", answer.resultMessage);
});

const sinceThen: readonly (readonly [
  what: string,
  settings: { readonly service?: Partial<ServiceSettings>; readonly client?: Partial<ClientSettings> },
  request?: World["request"],
])[] = [
  ["the client was locked", { client: { locked: true } }],
  ["the client gave its redirect URI up", { client: { redirectUris: ["https://client.example.com/other"] } }],
  ["the client lost the grant", { client: { grantTypes: ["CLIENT_CREDENTIALS"] } }],
  ["the service lost the grant", { service: { supportedGrantTypes: ["CLIENT_CREDENTIALS"] } }],
  ["the client lost the scope", { client: { extension: { requestableScopes: ["write"] } } }],
  [
    "the service demands PKCE",
    { service: { pkceRequired: true } },
    { code_challenge: undefined, code_challenge_method: undefined },
  ],
  [
    "the service gave the resource up",
    { service: { supportedResources: [] } },
    { resource: "https://api.example.com/" },
  ],
];

for (const [what, { service, client }, request] of sinceThen) {
  test(`${what} before the user agreed: A045302, and no code`, async (t) => {
    const { issue, byHand, commands } = await ask(t, request === undefined ? {} : { request });
    await byHand.configure(servicesOf(service, client));
    const answer = await issue();
    t.is(answer.resultCode, "A045302");
    t.is(answer.action, "BAD_REQUEST");
    t.is(answer.authorizationCode, undefined);
    t.deepEqual(commands, []);
  });

  test(`${what} while the code was being kept: A045302, and no code`, async (t) => {
    const { issue, commands } = await ask(t, {
      ...(request === undefined ? {} : { request }),
      before: (byHand) => byHand.configure(servicesOf(service, client)),
    });
    const answer = await issue();
    t.is(answer.resultCode, "A045302");
    t.is(commands.length, 1);
  });
}

test("scopes that were lost since the request are not granted when the caller names them, the others are", async (t) => {
  const { issue, byHand, commands } = await ask(t, { request: { scope: "read write" } });
  await byHand.configure(servicesOf({}, { extension: { requestableScopes: ["write"] } }));
  t.is((await issue({ scopes: ["read"] })).resultCode, "A045302");
  t.is((await issue({ scopes: ["read", "x"] })).resultCode, "A040202");
  t.deepEqual(commands, []);
  t.is((await issue({ scopes: ["read", "write"] })).resultCode, "A040001");
  t.like(commands[0], { name: "issue-code", code: { scopes: ["write"] } });
});

test("scopes that were lost since the request are not granted, the others are", async (t) => {
  const { issue, byHand, commands } = await ask(t, { request: { scope: "read write" } });
  await byHand.configure(servicesOf({}, { extension: { requestableScopes: ["write"] } }));
  t.is((await issue()).resultCode, "A040001");
  t.like(commands[0], { code: { scopes: ["write"] } });
});

test("an issue that repeats after a conflict has one code, of the settings as they are then", async (t) => {
  let changed = false;
  const { issue, byHand, commands } = await ask(t, {
    before: async (engine) => {
      if (!changed) await engine.configure(servicesOf({ authorizationCodeDuration: 30 }));
      changed = true;
    },
  });
  const { authorizationCode = "" } = await issue();
  t.is(commands.length, 2);
  const kept = await byHand.store.readCode(serviceId, tokenDigest(authorizationCode));
  t.is(kept?.expiresAt, startInstant + 30_000);
});
