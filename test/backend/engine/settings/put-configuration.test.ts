import test, { type ExecutionContext } from "ava";
import { describePlan } from "../../../../src/backend/describe-plan.ts";
import {
  putConfiguration,
  type PutOptions,
  RemovalRefused,
  SecretKeyDiffers,
} from "../../../../src/backend/engine/settings/put-configuration.ts";
import type { WantedServices } from "../../../../src/backend/engine/settings/sealed-settings.ts";
import type { ClientSettings } from "../../../../src/backend/engine/settings/settings.ts";
import { createSecretBox } from "../../../../src/backend/secret-box/aes-secret-box.ts";
import type { Store } from "../../../../src/backend/store/store.ts";
import { createEngineByHand, startInstant } from "../../../support/engine.ts";
import { clientSettings, secretOf, serviceId, serviceSettings } from "../../../support/settings.ts";

const client = (clientId: number, settings: Partial<ClientSettings> = {}): ClientSettings =>
  clientSettings({ clientId, tlsClientCertificateBoundAccessTokens: false, ...settings });

const settings = serviceSettings({ serviceName: "main" });
const [one, two] = [client(1, { clientName: "one" }), client(2)];
const both: WantedServices = [{ settings, clients: [one, two] }];
const withoutOne: WantedServices = [{ settings, clients: [two] }];

async function start(t: ExecutionContext) {
  const { operations, dependencies, store, setClock } = await createEngineByHand(t, both);
  return {
    dependencies,
    store,
    setClock,
    issue: async (clientId = 1) => {
      const request = { parameters: "grant_type=client_credentials", clientId: String(clientId) };
      const answer = await operations().authToken({ ...request, clientSecret: secretOf(clientId) });
      return answer.accessToken ?? t.fail(answer.resultMessage);
    },
    isActive: async (token: string | false) => {
      const { responseContent } = await operations().authIntrospectionStandard({
        parameters: `token=${String(token)}`,
      });
      return (JSON.parse(responseContent ?? "{}") as { active?: unknown }).active;
    },
    put: (services: WantedServices, options: PutOptions = {}, over: Store = store) =>
      putConfiguration({ ...dependencies, store: over }, services, options),
  };
}

test("changes are reported by ids, names and names of members, never by a value", async (t) => {
  const { put } = await start(t);
  t.deepEqual(describePlan(await put(both)), []);
  const changed = [
    { ...one, clientSecret: "another-secret-0123456789abcdefghij", grantTypes: ["CLIENT_CREDENTIALS"] as const },
    client(3, { clientName: "three" }),
  ];
  const plan = await put([
    { settings: { ...settings, accessTokens: [], issuer: "https://other.example" }, clients: changed },
  ]);
  const lines = describePlan(plan);
  t.deepEqual(lines, [
    `adds client ${serviceId}/3 "three"`,
    `changes service ${serviceId} "main": serviceAccessTokens, issuer`,
    "  APIs that verify JWT access tokens themselves refuse those of the former issuer",
    `changes client ${serviceId}/1 "one": clientSecret`,
    `removes client ${serviceId}/2, which has no live tokens`,
  ]);
  t.notRegex(lines.join(), /another-secret|other\.example/);
});

test("the report says which changes suspend live tokens", async (t) => {
  const keys = (...kids: string[]) =>
    JSON.stringify({ keys: kids.map((kid) => ({ kty: "EC", crv: "P-256", kid, x: kid, y: kid, d: `secret-${kid}` })) });
  const refreshing = ["CLIENT_CREDENTIALS", "REFRESH_TOKEN"] as const;
  const before = { ...settings, jwks: keys("a", "b"), supportedGrantTypes: refreshing };
  const { put } = await start(t);
  await put([{ settings: before, clients: [client(1, { grantTypes: refreshing }), two] }]);
  const after = { ...before, jwks: keys("b", "c"), supportedGrantTypes: ["CLIENT_CREDENTIALS"] as const };
  const lines = describePlan(await put([{ settings: after, clients: [client(1), { ...two, locked: true }] }]));
  t.deepEqual(lines, [
    `changes service ${serviceId} "main": supportedGrantTypes, jwks`,
    '  APIs cannot verify what was signed with the key "a"',
    "  its refresh tokens cannot be used without REFRESH_TOKEN",
    `changes client ${serviceId}/1: grantTypes`,
    "  its refresh tokens cannot be used without REFRESH_TOKEN",
    `changes client ${serviceId}/2: locked`,
    "  its tokens are not active while it is locked",
  ]);
});

test("a client with live tokens is not removed, nothing changes, and the refusal names the client", async (t) => {
  const { put, issue, isActive } = await start(t);
  const tokens = [await issue(), await issue()];
  const refused = await t.throwsAsync(put(withoutOne), { instanceOf: RemovalRefused });
  t.deepEqual(refused.removals, [
    { serviceId, clientId: 1, name: "one", liveTokens: { count: 2, complete: true }, allowed: false },
  ]);
  await t.throwsAsync(put([]), { instanceOf: RemovalRefused });
  await t.throwsAsync(put([{ settings, clients: [] }]), { instanceOf: RemovalRefused });
  for (const token of tokens) t.true(await isActive(token));
});

test("an allowed removal revokes the tokens for good; without live tokens no permission is needed", async (t) => {
  const { put, issue, isActive, setClock } = await start(t);
  const [first, second] = [await issue(1), await issue(2)];
  await put(withoutOne, { allowRemoval: [{ serviceId, clientId: 1 }] });
  await put(both);
  t.false(await isActive(first));
  t.true(await isActive(second));
  await t.throwsAsync(put([{ settings, clients: [one] }]), { instanceOf: RemovalRefused });
  setClock(startInstant + 3_600_000);
  await put([{ settings, clients: [one] }]);
});

test("a token that is issued after the count still keeps its client", async (t) => {
  const { put, issue, isActive, store } = await start(t);
  let token: string | false = false;
  const racing: Store = {
    ...store,
    async run(command) {
      if (command.name === "put-configuration" && token === false) token = await issue();
      return store.run(command);
    },
  };
  const refused = await t.throwsAsync(put(withoutOne, {}, racing), { instanceOf: RemovalRefused });
  t.is(refused.removals[0]?.liveTokens?.count, 1);
  t.true(await isActive(token));
});

test("many removals that are refused are all named, and not all of them are counted", async (t) => {
  const { put, issue } = await start(t);
  const ids = Array.from({ length: 130 }, (_, index) => index + 1);
  await put([{ settings, clients: ids.map((id) => client(id)) }]);
  for (const id of ids) await issue(id);
  const refused = await t.throwsAsync(put([{ settings, clients: [] }]), { instanceOf: RemovalRefused });
  t.is(refused.removals.length, 130);
  t.is(refused.removals.filter(({ liveTokens }) => liveTokens !== undefined).length, 100);
});

test("under a new secret key tokens stay, and only other differences are reported", async (t) => {
  const { put, issue, isActive, dependencies } = await start(t);
  const token = await issue();
  const secretBox = createSecretBox(Buffer.alloc(32, 9), dependencies.random);
  const renew = (services: WantedServices, newSecretKey: boolean) =>
    putConfiguration({ ...dependencies, secretBox }, services, { newSecretKey });
  await t.throwsAsync(renew(both, false), { instanceOf: SecretKeyDiffers });
  await t.throwsAsync(renew(withoutOne, true), { instanceOf: RemovalRefused });
  const renamed = [{ settings, clients: [{ ...one, clientName: "uno" }, two] }];
  t.deepEqual(describePlan(await renew(renamed, true)), [`changes client ${serviceId}/1 "uno": clientName`]);
  await t.throwsAsync(put(both), { instanceOf: SecretKeyDiffers });
  await renew(both, false);
  await put(both, { newSecretKey: true });
  t.true(await isActive(token));
});
