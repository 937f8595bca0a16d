import { createHash } from "node:crypto";
import test, { type ExecutionContext } from "ava";
import { type OperationName, operations } from "../../../src/contract/operations.ts";
import type { Command } from "../../../src/backend/store/command.ts";
import type { CommandOutcome, Store } from "../../../src/backend/store/store.ts";
import { authorizationParameters, codeVerifier, redirectUri } from "../../support/authorization.ts";
import { createEngineByHand, startInstant } from "../../support/engine.ts";
import { k1 } from "../../support/grants.ts";
import { keepCode, keepTicket } from "../../support/keep-code.ts";
import { keepTokens } from "../../support/keep-tokens.ts";
import { clientSettings, secretOf, serviceAccessToken, serviceId, serviceSettings } from "../../support/settings.ts";
import { createServiceKey, serviceJwks } from "../../support/signing-keys.ts";

// What each operation asks of the store in one request, the authentication of the API caller included: each fact once.

const basic = { clientId: "1", clientSecret: secretOf(1), clientCertificate: k1.pem };
const form = (members: Readonly<Record<string, string>>) => new URLSearchParams(members).toString();
const digestOf = (text: string) => createHash("sha256").update(text).digest("base64url");

interface Kept {
  readonly store: Store;
  readonly call: (name: OperationName, request: object) => Promise<Readonly<Record<string, unknown>>>;
}

/** A request that succeeds, after what it needs was put into the store. */
type Prepare = (kept: Kept) => object | Promise<object>;

interface Expected {
  readonly request: Prepare;
  readonly calls: readonly string[];
}

const tokensOf = ({ store }: Kept) => keepTokens({ store }, { clientId: 1, x5tS256: k1.x5tS256 });
const ticketOf = async ({ store }: Kept) => ({ ticket: (await keepTicket(store, startInstant)).ticket });

/** Asks for an authorization, as a front end does, and answers with the ticket. */
async function askedTicket({ call }: Kept): Promise<{ readonly ticket: unknown }> {
  const { ticket } = await call("authAuthorization", { parameters: authorizationParameters({ scope: "openid read" }) });
  return { ticket };
}

async function passwordTicket({ call }: Kept): Promise<{ readonly ticket: unknown }> {
  const parameters = form({ grant_type: "password", username: "joe", password: "wallaby" });
  const { ticket } = await call("authToken", { parameters, ...basic });
  return { ticket };
}

const expected: Readonly<Record<Exclude<OperationName, "info">, Readonly<Record<string, Expected>>>> = {
  authAuthorization: {
    "an authorization request": {
      request: () => ({ parameters: authorizationParameters() }),
      calls: ["readService", "readClient", "run keep-ticket"],
    },
  },
  authAuthorizationIssue: {
    "a user who agrees": {
      request: async (kept) => ({ ...(await askedTicket(kept)), subject: "joe" }),
      calls: ["readService", "readTicket", "readClient", "run issue-code"],
    },
  },
  authAuthorizationFail: {
    "a user who declines": {
      request: async (kept) => ({ ...(await askedTicket(kept)), reason: "DENIED" }),
      calls: ["readService", "readTicket", "run consume-ticket"],
    },
  },
  authAuthorizationTicketInfo: {
    "what is kept beside a ticket": { request: ticketOf, calls: ["readService", "readTicket"] },
  },
  authAuthorizationTicketUpdate: {
    "a change of it": {
      request: async (kept) => ({ ...(await ticketOf(kept)), info: { context: "x" } }),
      calls: ["readService", "readTicket", "run update-ticket"],
    },
  },
  authToken: {
    "client credentials": {
      request: () => ({ parameters: "grant_type=client_credentials", ...basic }),
      calls: ["readService", "readClient", "run issue-tokens"],
    },
    "a code": {
      request: async ({ store }) => {
        const { code } = await keepCode(store, startInstant);
        const members = {
          grant_type: "authorization_code",
          code,
          redirect_uri: redirectUri,
          code_verifier: codeVerifier,
        };
        return { parameters: form(members), ...basic };
      },
      calls: ["readService", "readClient", "readCode", "run issue-tokens"],
    },
    "a refresh token": {
      request: async (kept) => {
        const { refreshToken } = await tokensOf(kept);
        return { parameters: form({ grant_type: "refresh_token", refresh_token: refreshToken }), ...basic };
      },
      calls: ["readService", "readClient", "readRefreshToken", "run issue-tokens"],
    },
    "a password": {
      request: () => ({ parameters: form({ grant_type: "password", username: "joe", password: "x" }), ...basic }),
      calls: ["readService", "readClient", "run keep-ticket"],
    },
  },
  authTokenIssue: {
    "a password that was right": {
      request: async (kept) => ({ ...(await passwordTicket(kept)), subject: "joe" }),
      calls: ["readService", "readTicket", "readClient", "run issue-tokens"],
    },
  },
  authTokenFail: {
    "a password that was wrong": {
      request: async (kept) => ({ ...(await passwordTicket(kept)), reason: "INVALID_RESOURCE_OWNER_CREDENTIALS" }),
      calls: ["readService", "readTicket", "run consume-ticket"],
    },
  },
  authTokenCreate: {
    "a token for a client": {
      request: () => ({ grantType: "CLIENT_CREDENTIALS", clientId: 1, certificateThumbprint: k1.x5tS256 }),
      calls: ["readService", "readClient", "run issue-tokens"],
    },
  },
  authTokenUpdate: {
    "other scopes": {
      request: async (kept) => ({ accessToken: (await tokensOf(kept)).accessToken, scopes: ["read"] }),
      calls: ["readService", "readAccessToken", "run update-token"],
    },
  },
  authTokenDelete: {
    "a token": {
      request: async (kept) => ({ accessTokenIdentifier: digestOf((await tokensOf(kept)).accessToken) }),
      // What looks like a hash may be a token of that text: two facts.
      calls: ["readService", "readAccessToken", "readAccessToken", "run end-grant"],
    },
  },
  authTokenRevoke: {
    "the tokens of a client": {
      request: () => ({ clientIdentifier: "1" }),
      calls: ["readService", "readClient", "countTokens", "run revoke-tokens"],
    },
  },
  authTokenGetList: {
    "all tokens": { request: () => ({}), calls: ["readService", "listAccessTokens"] },
  },
  authIntrospection: {
    "a token": {
      request: async (kept) => ({ token: (await tokensOf(kept)).accessToken, clientCertificate: k1.pem }),
      calls: ["readService", "readAccessToken"],
    },
  },
  authIntrospectionStandard: {
    "a token": {
      request: async (kept) => ({ parameters: form({ token: (await tokensOf(kept)).accessToken }) }),
      calls: ["readService", "readAccessToken"],
    },
  },
  authRevocation: {
    "a token": {
      request: async (kept) => ({ parameters: form({ token: (await tokensOf(kept)).accessToken }), ...basic }),
      calls: ["readService", "readClient", "readAccessToken", "run revoke-access-token"],
    },
    "a refresh token": {
      request: async (kept) => ({ parameters: form({ token: (await tokensOf(kept)).refreshToken }), ...basic }),
      calls: ["readService", "readClient", "readAccessToken", "readRefreshToken", "run end-grant"],
    },
  },
  authUserinfo: {
    "a token": {
      request: async (kept) => ({ token: await openidToken(kept), clientCertificate: k1.pem }),
      calls: ["readService", "readAccessToken"],
    },
  },
  authUserinfoIssue: {
    claims: {
      request: async (kept) => ({ token: await openidToken(kept), claims: '{"name":"Joe"}' }),
      calls: ["readService", "readAccessToken"],
    },
  },
  serviceConfiguration: { "the metadata": { request: () => ({}), calls: ["readService"] } },
  serviceConfigurationPost: { "the metadata": { request: () => ({}), calls: ["readService"] } },
  serviceJwksGet: { "the key set": { request: () => ({}), calls: ["readService"] } },
};

/** Of a user, good for `openid`. */
async function openidToken(kept: Kept): Promise<unknown> {
  const { store, call } = kept;
  const { code } = await keepCode(store, startInstant, { scopes: ["openid"] });
  const members = { grant_type: "authorization_code", code, redirect_uri: redirectUri, code_verifier: codeVerifier };
  return (await call("authToken", { parameters: form(members), ...basic }))["accessToken"];
}

/** An engine whose store writes down what it is asked, and answers commands with `conflict` as often as it is told. */
async function open(t: ExecutionContext) {
  const calls: string[] = [];
  const state = { recording: false, conflicts: 0 };
  const names = ["PASSWORD", "AUTHORIZATION_CODE", "REFRESH_TOKEN", "CLIENT_CREDENTIALS"] as const;
  const settings = serviceSettings({
    supportedGrantTypes: names,
    supportedScopes: ["read", "openid"].map((name) => ({ name })),
    jwks: serviceJwks([createServiceKey("P256", "k")]),
  });
  const client = clientSettings({
    clientId: 1,
    grantTypes: names,
    redirectUris: [redirectUri],
    idTokenSignAlg: "ES256",
  });
  const { engine, store } = await createEngineByHand(t, [{ settings, clients: [client] }], {
    around: (inner) => {
      const recorded = Object.entries(inner).map(([name, method]) => [
        name,
        (...args: unknown[]) => {
          if (state.recording) calls.push(name === "run" ? `run ${(args[0] as Command).name}` : name);
          if (name === "run" && state.recording && state.conflicts > 0) {
            state.conflicts -= 1;
            return Promise.resolve<CommandOutcome>("conflict");
          }
          return (method as (...args: unknown[]) => unknown)(...args);
        },
      ]);
      return Object.fromEntries(recorded) as Partial<Store>;
    },
  });
  const call: Kept["call"] = async (name, request) => {
    const caller = await engine.authenticateApiCaller({ scheme: "bearer", serviceId, accessToken: serviceAccessToken });
    if ("error" in caller) throw new Error(caller.error);
    const served = engine.operationsOf(caller.service)[name as "authToken"] as (
      request: object,
    ) => Promise<Readonly<Record<string, unknown>> | undefined>;
    return (await served(request)) ?? {};
  };
  // The client's settings are parsed once a version: a token that is introspected brings its client's version along.
  await call("authToken", { parameters: "grant_type=client_credentials", ...basic });
  return { calls, state, kept: { store, call } };
}

test("every operation is below", (t) => {
  const all = (Object.keys(operations) as OperationName[]).filter((name) => name !== "info");
  t.deepEqual(Object.keys(expected).sort(), all.sort());
});

for (const [name, cases] of Object.entries(expected)) {
  for (const [what, { request, calls: wanted }] of Object.entries(cases)) {
    test(`${name}, ${what}: each fact is read once`, async (t) => {
      const { calls, state, kept } = await open(t);
      const asked = await request(kept);
      state.recording = true;
      const answer = await kept.call(name as OperationName, asked);
      t.deepEqual(calls, wanted, JSON.stringify(answer));
    });
  }
}

for (const [name, what] of [
  ["authToken", "client credentials"],
  ["authToken", "a code"],
  ["authToken", "a refresh token"],
  ["authAuthorization", "an authorization request"],
  ["authAuthorizationIssue", "a user who agrees"],
  ["authTokenIssue", "a password that was right"],
  ["authRevocation", "a token"],
] as const) {
  test(`${name}, ${what}: after a conflict every fact is read anew`, async (t) => {
    const { calls, state, kept } = await open(t);
    const row = expected[name][what];
    const asked = (await row?.request(kept)) ?? {};
    Object.assign(state, { recording: true, conflicts: 2 });
    await kept.call(name, asked);
    t.deepEqual(
      calls,
      [row, row, row].flatMap((each) => each?.calls ?? []),
    );
  });
}
