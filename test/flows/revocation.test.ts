import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { pino } from "pino";
import type { IntrospectionOperations } from "../../src/api-client/introspection-caller.ts";
import { openBackend } from "../../src/backend/index.ts";
import { tokenDigestText } from "../../src/oauth/token-digest.ts";
import { AccessTokenRefused, createResourceServer } from "../../src/resource-server/index.ts";
import { createSelfSigned } from "../support/certificates.ts";
import { accessTokenOf, startDeployment, textOf } from "../support/deployment.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { basic, postForm } from "../support/https-request.ts";
import { keepTokens } from "../support/keep-tokens.ts";
import { clientSettings, configurationOf, secretOf, serviceSettings } from "../support/settings.ts";
import { createServiceKey, serviceJwks } from "../support/signing-keys.ts";
import { makeStoreFile, startStore } from "../support/store-beside.ts";

const k1 = createSelfSigned({ subject: "CN=client-1" });
const authorization = basic(1, secretOf(1));
const clients = [clientSettings({ clientId: 1 }), clientSettings({ clientId: 2 })];

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
const isActive = (body: string): boolean => (JSON.parse(body) as { active: boolean }).active;

test("7009-2-a: access tokens and refresh tokens can be revoked", async (t) => {
  const store = await startStore(t, clients, Date.now, { introspectionOfRefreshTokens: true });
  const credentials = { clientId: "1", clientSecret: secretOf(1) };
  const active = async (token: string) =>
    isActive((await store.backend.authIntrospectionStandard({ parameters: `token=${token}` })).responseContent ?? "");
  const { accessToken, refreshToken } = await keepTokens(store, { clientId: 1, now: Date.now() });
  t.true(await active(accessToken));
  t.is((await store.backend.authRevocation({ parameters: `token=${accessToken}`, ...credentials })).action, "OK");
  t.false(await active(accessToken));
  t.true(await active(refreshToken));
  t.is((await store.backend.authRevocation({ parameters: `token=${refreshToken}`, ...credentials })).action, "OK");
  t.false(await active(refreshToken));
});

test("revoking a refresh token ends the access tokens of its grant and no others", async (t) => {
  const store = await startStore(t, clients, Date.now, { introspectionOfRefreshTokens: true });
  const active = async (token: string) =>
    isActive((await store.backend.authIntrospectionStandard({ parameters: `token=${token}` })).responseContent ?? "");
  const ended = await keepTokens(store, { clientId: 1, now: Date.now() });
  const untouched = await keepTokens(store, { clientId: 1, now: Date.now() });
  const credentials = { clientId: "1", clientSecret: secretOf(1) };
  await store.backend.authRevocation({ parameters: `token=${ended.refreshToken}`, ...credentials });
  t.false(await active(ended.accessToken));
  t.true(await active(untouched.accessToken));
  t.true(await active(untouched.refreshToken));
});

test("7009-2.1-a, 7009-2.2-b: no hint hides a token, right or wrong; a repeated hint is rejected", async (t) => {
  const store = await startStore(t, clients, Date.now, { introspectionOfRefreshTokens: true });
  const credentials = { clientId: "1", clientSecret: secretOf(1) };
  for (const hint of ["access_token", "refresh_token", "other", ""]) {
    const tokens = await keepTokens(store, { clientId: 1, now: Date.now() });
    for (const token of [tokens.accessToken, tokens.refreshToken]) {
      const parameters = `token=${token}&token_type_hint=${hint}`;
      t.is((await store.backend.authRevocation({ parameters, ...credentials })).action, "OK");
      const facts = await store.backend.authIntrospectionStandard({ parameters: `token=${token}` });
      t.is(facts.responseContent, '{"active":false}');
    }
  }
  const { accessToken } = await keepTokens(store, { clientId: 1, now: Date.now() });
  const parameters = `token=${accessToken}&token_type_hint=a&token_type_hint=b`;
  t.is((await store.backend.authRevocation({ parameters, ...credentials })).action, "BAD_REQUEST");
  const facts = await store.backend.authIntrospectionStandard({ parameters: `token=${accessToken}` });
  t.regex(facts.responseContent ?? "", /"active":true/);
});

test("7009-2.1-b: a client can revoke only its own tokens, and must prove which client it is", async (t) => {
  const publicClient = clientSettings({ clientId: 3, tokenAuthMethod: "NONE" });
  const { token, revoke, introspect } = await startDeployment(t, { clients: [...clients, publicClient] });
  const issued = accessTokenOf(t, await token({}, k1, { authorization }));
  const byOther = await revoke({ token: issued }, k1, { authorization: basic(2, secretOf(2)) });
  assertErrorForm(t, byOther, "invalid_request", [400]);
  assertErrorForm(t, await revoke({ token: issued, client_id: "1" }, k1), "invalid_client", [400]);
  const wrongSecret = { authorization: basic(1, "wrong") };
  assertErrorForm(t, await revoke({ token: issued }, k1, wrongSecret), "invalid_client", [401]);
  // Anyone can claim to be a public client: it is told nothing, and nothing happens.
  t.is((await revoke({ token: issued, client_id: "3" })).status, 200);
  t.true(isActive((await introspect(issued)).body));
});

test("7009-2.1-b: a client cannot revoke another client's refresh token, nor either token of its grant", async (t) => {
  const publicClient = clientSettings({ clientId: 3, tokenAuthMethod: "NONE" });
  const store = await startStore(t, [...clients, publicClient], Date.now, { introspectionOfRefreshTokens: true });
  const { accessToken, refreshToken } = await keepTokens(store, { clientId: 1, now: Date.now() });
  const active = async (token: string) =>
    isActive((await store.backend.authIntrospectionStandard({ parameters: `token=${token}` })).responseContent ?? "");
  const other = { clientId: "2", clientSecret: secretOf(2) };
  for (const token of [refreshToken, accessToken]) {
    for (const hint of ["", "&token_type_hint=refresh_token", "&token_type_hint=access_token"]) {
      const parameters = `token=${token}${hint}`;
      const refused = await store.backend.authRevocation({ parameters, ...other });
      t.like(refused, { action: "BAD_REQUEST", resultCode: "A116301" });
      // Anyone can claim to be a public client: it is told nothing, and nothing happens.
      t.is((await store.backend.authRevocation({ parameters: `${parameters}&client_id=3` })).action, "OK");
      t.deepEqual([await active(accessToken), await active(refreshToken)], [true, true]);
    }
  }
  const own = { parameters: `token=${refreshToken}`, clientId: "1", clientSecret: secretOf(1) };
  t.is((await store.backend.authRevocation(own)).action, "OK");
  t.deepEqual([await active(accessToken), await active(refreshToken)], [false, false]);
});

test("7009-2.1-c: a revoked token is inactive on another node right after the 200", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const configuration = { store: { sqlite: join(folder, "store.sqlite") }, secretKey: Buffer.alloc(32, 7) };
  const one = await startDeployment(t, { clients, configuration });
  const other = await startDeployment(t, { clients, configuration });
  const latencies: number[] = [];
  for (let round = 0; round < 50; round++) {
    const issued = accessTokenOf(t, await one.token({}, k1, { authorization }));
    t.true(isActive((await other.introspect(issued)).body));
    t.is((await one.revoke({ token: issued }, k1, { authorization })).status, 200);
    const acknowledged = performance.now();
    // The very first question after the acknowledgement: the bound is this one round trip, in every round.
    t.false(isActive((await other.introspect(issued)).body));
    latencies.push(performance.now() - acknowledged);
  }
  t.log(`acknowledgement to refusal on the other node, p100 of 50: ${Math.max(...latencies).toFixed(1)} ms`);
});

test("7009-2.2-a: a token that was revoked, revoked twice, or never known gets the same 200", async (t) => {
  const { token, revoke } = await startDeployment(t, { clients });
  const issued = accessTokenOf(t, await token({}, k1, { authorization }));
  const answers = new Set<string>();
  for (const value of [issued, issued, "A".repeat(43), "x"]) {
    const answer = await revoke({ token: value }, k1, { authorization });
    answers.add(textOf(answer));
    t.is(answer.status, 200);
  }
  t.is(answers.size, 1);

  const times = { known: [] as number[], unknown: [] as number[] };
  for (let round = 0; round < 30; round++) {
    const known = accessTokenOf(t, await token({}, k1, { authorization }));
    for (const [kind, value] of [
      ["known", known],
      ["unknown", "A".repeat(43)],
    ] as const) {
      const started = performance.now();
      t.is((await revoke({ token: value }, k1, { authorization })).status, 200);
      times[kind].push(performance.now() - started);
    }
  }
  const { known, unknown } = times;
  t.log(`median of 30: known ${median(known).toFixed(1)} ms, unknown ${median(unknown).toFixed(1)} ms`);
});

test("7009-2.2.1: while the store cannot write, revocation is a 503 with Retry-After and the token stays", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, "store.sqlite");
  const configuration = { store: { sqlite: path }, secretKey: Buffer.alloc(32, 7) };
  const { token, revoke, introspect } = await startDeployment(t, { clients, configuration });
  const issued = accessTokenOf(t, await token({}, k1, { authorization }));
  const { DatabaseSync } = await import("node:sqlite");
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  const answer = await revoke({ token: issued }, k1, { authorization });
  assertErrorForm(t, answer, "temporarily_unavailable", [503]);
  t.truthy(answer.headers["retry-after"]);
  t.true(isActive((await introspect(issued)).body));
  other.exec("ROLLBACK");
  other.close();
  t.is((await revoke({ token: issued }, k1, { authorization })).status, 200);
  t.false(isActive((await introspect(issued)).body));
});

test("revocation: a missing, empty, repeated or bracketed token is invalid_request, and revokes nothing", async (t) => {
  const { url, token, introspect } = await startDeployment(t, { clients });
  const issued = accessTokenOf(t, await token({}, k1, { authorization }));
  for (const form of [
    "token_type_hint=access_token",
    "token=",
    `token=${issued}&token=${issued}`,
    `token[]=${issued}`,
  ]) {
    const answer = await postForm({ url: `${url}/revoke`, as: k1, headers: { authorization } }, form);
    assertErrorForm(t, answer, "invalid_request", [400]);
  }
  t.true(isActive((await introspect(issued)).body));
});

const settings = serviceSettings({
  jwks: serviceJwks([createServiceKey("P256", "ec")]),
  accessTokenSignAlg: "ES256",
  defaultResources: ["https://api.example.com"],
});
const confidential = (clientId: number) => clientSettings({ clientId, tlsClientCertificateBoundAccessTokens: false });

for (const form of ["jwt", "identifier"] as const) {
  test(`revoking a JWT that the store has lost removes its ${form} from an API's cache`, async (t) => {
    const file = await makeStoreFile(t);
    const backend = await openBackend({
      configuration: configurationOf([{ settings, clients: [confidential(1)] }], file.configuration),
      log: pino({ level: "silent" }),
    });
    const asked: string[] = [];
    const streaming = Promise.withResolvers<undefined>();
    const watched: IntrospectionOperations = {
      authIntrospection: (request, how) => backend.authIntrospection(request, how),
      authIntrospectionStandard(request, how) {
        asked.push(new URLSearchParams(request.parameters).get("token") ?? "");
        return backend.authIntrospectionStandard(request, how);
      },
      async *authIntrospectionEvents(request, how) {
        for await (const message of backend.authIntrospectionEvents(request, how)) {
          yield message;
          // Whoever takes the next one has taken this one in.
          if (message.type === "heartbeat") streaming.resolve(undefined);
        }
      },
    };
    // Without events every answer would serve for ten minutes.
    const resourceServer = createResourceServer({ backend: watched, cache: { ttl: 600 }, timeout: 30_000 });
    t.teardown(async () => {
      await resourceServer.close();
      await backend.close();
    });
    const authorize = (token: string) =>
      resourceServer.authorize({ token, certificate: undefined, requirement: { binding: "if-bound" } });
    const issue = async () => {
      const { jwtAccessToken = "", accessToken = "" } = await backend.authToken({
        parameters: "grant_type=client_credentials",
        clientId: "1",
        clientSecret: secretOf(1),
      });
      return { jwt: jwtAccessToken, identifier: accessToken };
    };
    const [lost, other] = [await issue(), await issue()];
    await authorize(other.jwt);
    await streaming.promise;
    const { signal } = await authorize(lost[form]);
    await authorize(lost[form]);
    t.deepEqual(asked, [other.jwt, lost[form]], "it is remembered");
    // As a backup has it that was made before the token was issued.
    file.tamper(
      `DELETE FROM access_token WHERE digest = x'${Buffer.from(tokenDigestText(lost.identifier), "base64url").toString("hex")}'`,
    );
    const ended = once(signal, "abort");
    const revocation = { parameters: `token=${lost[form]}`, clientId: "1", clientSecret: secretOf(1) };
    t.is((await backend.authRevocation(revocation)).resultCode, "A113001");
    await ended;
    t.true(signal.reason instanceof AccessTokenRefused);
    await t.throwsAsync(authorize(lost[form]), { instanceOf: AccessTokenRefused });
    await authorize(other.jwt);
    t.deepEqual(asked, [other.jwt, lost[form], lost[form]], "nothing else is asked for again");
  });
}
