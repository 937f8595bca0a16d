import { once } from "node:events";
import test, { type ExecutionContext } from "ava";
import { createApiClient, type ApiClient } from "../../src/api-client/index.ts";
import { createIntrospectionCaller, type IntrospectionOperations } from "../../src/api-client/introspection-caller.ts";
import { AccessTokenRefused, createResourceServer, IntrospectionUnavailable } from "../../src/resource-server/index.ts";
import { startBackendProcess } from "../support/backend-process.ts";
import { writeBackendConfiguration } from "../support/backend-configuration.ts";
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
  return { here, api, authorize, begun: begun.promise, asked };
}

async function issue(api: ApiClient): Promise<string> {
  const { accessToken = "" } = await api.authToken({ parameters: `grant_type=client_credentials&${parameters}` });
  return accessToken;
}

test("what one backend process revokes is refused by an API that knows another, its live decision ends, and nothing else is asked", async (t) => {
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
  test(`a token that is created at one backend process and ${how} there is let in, then refused, by an API that knows another`, async (t) => {
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
