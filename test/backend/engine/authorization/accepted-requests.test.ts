import test, { type ExecutionContext } from "ava";
import type { KeepTicket } from "../../../../src/backend/store/command.ts";
import type { ClientSettings, ServiceSettings } from "../../../../src/backend/engine/settings/settings.ts";
import type { AuthorizationResponse } from "../../../../src/contract/auth-authorization.ts";
import { tokenDigest } from "../../../../src/oauth/token-digest.ts";
import { authorizationParameters, codeClient, codeService, redirectUri } from "../../../support/authorization.ts";
import { createEngineByHand, startInstant } from "../../../support/engine.ts";
import { serviceId } from "../../../support/settings.ts";

interface World {
  readonly service?: Partial<ServiceSettings>;
  readonly client?: Partial<ClientSettings>;
  readonly context?: string;
}

interface Accepted {
  readonly answer: AuthorizationResponse;
  readonly command: KeepTicket;
}

/** The answer with a ticket, and the command that keeps it. */
async function accepted(
  t: ExecutionContext,
  parameters: string,
  { service, client, context }: World = {},
): Promise<Accepted> {
  const commands: KeepTicket[] = [];
  const services = [{ settings: codeService(service), clients: [codeClient(client)] }];
  const { operations } = await createEngineByHand(t, services, {
    around: (store) => ({
      run: (command) => {
        if (command.name === "keep-ticket") commands.push(command);
        return store.run(command);
      },
    }),
  });
  const answer = await operations().authAuthorization({ parameters, context });
  t.is(answer.resultCode, "A004001", answer.resultMessage);
  const [command] = commands;
  if (command === undefined) throw new Error("No ticket was kept.");
  return { answer, command };
}

const request = authorizationParameters;

test("a request: A004001, INTERACTION, and all that a page needs; nothing for the client yet", async (t) => {
  const { answer } = await accepted(t, request(), {
    service: { serviceName: "Example Bank", supportedScopes: [{ name: "read", description: "Read your accounts" }] },
    client: { clientName: "Budget App", clientIdAlias: "app" },
  });
  const { ticket, ...rest } = answer;
  t.regex(ticket ?? "", /^[A-Za-z0-9_-]{43}$/);
  t.deepEqual(rest, {
    resultCode: "A004001",
    resultMessage: `[A004001] A ticket was issued for the authorization request (service ${serviceId}, client 1, response_type=code, openid=false).`,
    action: "INTERACTION",
    service: { apiKey: serviceId, serviceName: "Example Bank", clientIdAliasEnabled: true },
    client: { clientId: 1, clientIdAlias: "app", clientIdAliasEnabled: true, clientName: "Budget App" },
    clientIdAliasUsed: false,
    scopes: [{ name: "read", description: "Read your accounts" }],
    lowestPrompt: "CONSENT",
    display: "PAGE",
  });
});

test("a ticket is kept as a digest for 24 hours, with the caller's text", async (t) => {
  const { answer, command } = await accepted(t, request(), { context: "session=42" });
  t.deepEqual(command.ticket.digest, tokenDigest(answer.ticket ?? ""));
  t.is(command.ticket.kind, "authorization");
  t.is(command.ticket.context, "session=42");
  t.is(command.ticket.createdAt, startInstant);
  t.is(command.ticket.expiresAt, startInstant + 86_400_000);
  t.false(command.ticket.request.includes(answer.ticket ?? ""));
});

test("two requests have two tickets", async (t) => {
  const { operations } = await createEngineByHand(t, [{ settings: codeService(), clients: [codeClient()] }]);
  const parameters = request();
  const [a, b] = [
    await operations().authAuthorization({ parameters }),
    await operations().authAuthorization({ parameters }),
  ];
  t.not(a.ticket, b.ticket);
});

test("a client may be named by its alias", async (t) => {
  const { answer } = await accepted(t, request({ client_id: "app" }), { client: { clientIdAlias: "app" } });
  t.is(answer.clientIdAliasUsed, true);
  t.is(answer.client?.clientId, 1);
});

test("unknown parameters are ignored, and parameters without a value count as absent", async (t) => {
  const extra = Array.from({ length: 20 }, (_, i) => `&unknown${i}=x`).join("");
  const empty = "&request=&request_uri=&prompt=&max_age=&claims=&nonce=&display=&acr_values=&resource=&response_mode=";
  const { answer } = await accepted(t, request() + extra + empty + "&id_token_hint=&login_hint=&ui_locales=");
  t.is(answer.action, "INTERACTION");
  t.deepEqual(answer.scopes, [{ name: "read" }]);
});

test("redirect_uri may be left out when there is one only, and no OpenID", async (t) => {
  const { command } = await accepted(t, request({ redirect_uri: undefined }));
  const kept = JSON.parse(command.ticket.request) as { redirectUri?: string; target: { redirectUri: string } };
  t.is(kept.redirectUri, undefined);
  t.is(kept.target.redirectUri, redirectUri);
});

for (const [registered, sent] of [
  ["http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"],
  ["http://127.0.0.1:8080/cb", "http://127.0.0.1/cb"],
  ["http://[::1]/cb", "http://[::1]:49152/cb"],
] as const) {
  test(`the port of a loopback address is free: ${sent} for ${registered}`, async (t) => {
    const { command } = await accepted(t, request({ redirect_uri: sent }), { client: { redirectUris: [registered] } });
    t.like(JSON.parse(command.ticket.request), { redirectUri: sent, target: { redirectUri: sent } });
  });
}

test("6749-3.3-b: without scope the service's default entries are granted, if it has any", async (t) => {
  const supportedScopes = [{ name: "read", defaultEntry: true }, { name: "write" }, { name: "x", defaultEntry: true }];
  const client = { extension: { requestableScopes: ["read", "write"] } };
  const some = await accepted(t, request({ scope: undefined }), { service: { supportedScopes }, client });
  t.deepEqual(some.answer.scopes, [{ name: "read", defaultEntry: true }]);
  const none = await accepted(t, request({ scope: undefined }));
  t.is(none.answer.scopes, undefined);
});

test("scopes that service or client do not have are dropped; when none is left, the defaults are granted", async (t) => {
  const supportedScopes = [{ name: "read", defaultEntry: true }, { name: "write" }];
  const world = { service: { supportedScopes }, client: { extension: { requestableScopes: ["read"] } } };
  const some = await accepted(t, request({ scope: "write x read" }), world);
  t.deepEqual(some.answer.scopes, [{ name: "read", defaultEntry: true }]);
  const none = await accepted(t, request({ scope: "write x" }), world);
  t.deepEqual(none.answer.scopes, [{ name: "read", defaultEntry: true }]);
});

test("an OpenID request gets offline_access only with prompt=consent; others get it without", async (t) => {
  const named = ({ answer }: Accepted): string[] | undefined => answer.scopes?.map(({ name }) => name);
  const scope = "openid offline_access";
  t.deepEqual(named(await accepted(t, request({ scope }))), ["openid"]);
  t.deepEqual(named(await accepted(t, request({ scope, prompt: "login consent" }))), ["openid", "offline_access"]);
  t.deepEqual(named(await accepted(t, request({ scope: "offline_access" }))), ["offline_access"]);
});

test("prompt none: NO_INTERACTION", async (t) => {
  const { answer } = await accepted(t, request({ prompt: "none" }));
  t.is(answer.action, "NO_INTERACTION");
  t.deepEqual(answer.prompts, ["NONE"]);
  t.is(answer.lowestPrompt, "NONE");
  t.truthy(answer.ticket);
});

for (const [prompt, prompts, lowest] of [
  ["login", ["LOGIN"], "LOGIN"],
  ["consent select_account login", ["CONSENT", "SELECT_ACCOUNT", "LOGIN"], "LOGIN"],
  ["consent select_account", ["CONSENT", "SELECT_ACCOUNT"], "SELECT_ACCOUNT"],
  ["create", ["CREATE"], "CREATE"],
] as const) {
  test(`prompt ${prompt}: INTERACTION, with the demanded pages`, async (t) => {
    const { answer } = await accepted(t, request({ prompt }));
    t.is(answer.action, "INTERACTION");
    t.deepEqual(answer.prompts, [...prompts]);
    t.is(answer.lowestPrompt, lowest);
  });
}

test("max_age=0 differs from no max_age", async (t) => {
  t.like((await accepted(t, request({ max_age: "0" }))).answer, { maxAge: 0, maxAgeRequested: true });
  t.like((await accepted(t, request({ max_age: "2147483647" }))).answer, {
    maxAge: 2_147_483_647,
    maxAgeRequested: true,
  });
  const { answer } = await accepted(t, request());
  t.false("maxAge" in answer || "maxAgeRequested" in answer);
});

test("parameters for the page are passed on", async (t) => {
  const { answer } = await accepted(
    t,
    request({
      display: "touch",
      login_hint: "john@example.com",
      ui_locales: "de-AT de  en de",
      claims_locales: "fr",
      resource: "https://api.example.com/",
    }),
  );
  t.like(answer, {
    display: "TOUCH",
    loginHint: "john@example.com",
    uiLocales: ["de-AT", "de", "en"],
    claimsLocales: ["fr"],
    resources: ["https://api.example.com/"],
  });
});

test("acr_values keep their order, and those that are not supported are dropped", async (t) => {
  const { answer } = await accepted(t, request({ acr_values: "c b x a" }), {
    service: { supportedAcrs: ["a", "b", "c"] },
  });
  t.deepEqual(answer.acrs, ["c", "b", "a"]);
  t.is(answer.acrEssential, false);
});

test("the claim acr overrides acr_values", async (t) => {
  const claims = '{"id_token":{"acr":{"essential":true,"values":["b","x"]}}}';
  const { answer } = await accepted(t, request({ scope: "openid", claims, acr_values: "a" }), {
    service: { supportedAcrs: ["a", "b"] },
  });
  t.deepEqual(answer.acrs, ["b"]);
  t.is(answer.acrEssential, true);
});

test("an acr may be essential without values: any will do", async (t) => {
  const claims = '{"id_token":{"acr":{"essential":true}}}';
  const { answer } = await accepted(t, request({ scope: "openid", claims }));
  t.is(answer.acrs, undefined);
  t.is(answer.acrEssential, true);
});

const claims = JSON.stringify({
  id_token: { email: null, sub: { value: "john" }, auth_time: { essential: true }, given_name: {} },
  userinfo: { nickname: { essential: true }, email: null },
  other: 1,
});

test("claims are listed where they are requested, with those that the scopes stand for", async (t) => {
  const { answer } = await accepted(t, request({ scope: "openid email", claims }));
  t.deepEqual(answer.claims, ["email", "given_name"]);
  t.deepEqual(answer.claimsAtUserInfo, ["email", "email_verified", "nickname"]);
  t.is(answer.idTokenClaims, '{"email":null,"sub":{"value":"john"},"auth_time":{"essential":true},"given_name":{}}');
  t.is(answer.userInfoClaims, '{"nickname":{"essential":true},"email":null}');
  t.is(answer.subject, "john");
});

test("the scope profile stands for fourteen claims at the UserInfo endpoint", async (t) => {
  const { answer } = await accepted(t, request({ scope: "openid profile" }));
  t.is(answer.claimsAtUserInfo?.length, 14);
  t.true(answer.claimsAtUserInfo?.includes("updated_at"));
  t.is(answer.claims, undefined);
});

test("only the requested claims that the service supports are listed, if it has a list", async (t) => {
  const { answer } = await accepted(t, request({ scope: "openid email", claims }), {
    service: { supportedClaims: ["email", "given_name"] },
  });
  t.deepEqual(answer.claims, ["email", "given_name"]);
  t.deepEqual(answer.claimsAtUserInfo, ["email"]);
});

test("a request that is no OpenID one gets no claims", async (t) => {
  const { answer } = await accepted(t, request({ claims }));
  for (const name of ["claims", "claimsAtUserInfo", "idTokenClaims", "userInfoClaims"]) t.false(name in answer, name);
});

test("a client without PKCE may ask when neither it nor the service demands it and it is confidential", async (t) => {
  const { command } = await accepted(t, request({ code_challenge: undefined, code_challenge_method: undefined }));
  t.false("codeChallenge" in (JSON.parse(command.ticket.request) as object));
});

test("a client that is locked between the decision and its keeping gets no ticket", async (t) => {
  const byHand = await createEngineByHand(t, [{ settings: codeService(), clients: [codeClient()] }], {
    around: (store) => ({
      run: async (command) => {
        await byHand.configure([{ settings: codeService(), clients: [codeClient({ locked: true })] }]);
        return store.run(command);
      },
    }),
  });
  const answer = await byHand.operations().authAuthorization({ parameters: request() });
  t.is(answer.resultCode, "A010307");
});
