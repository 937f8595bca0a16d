import test from "ava";
import type { ClientSettings, ServiceSettings } from "../../../src/backend/engine/settings/settings.ts";
import { createEngineByHand } from "../../support/engine.ts";
import { clientSettings, serviceId, serviceSettings } from "../../support/settings.ts";

const other = serviceId + 1;
const free = { clientId: 1, tlsClientCertificateBoundAccessTokens: false };
const asked = (clientSecret: string) => ({ parameters: "grant_type=client_credentials", clientId: "1", clientSecret });

function oneService(service: Partial<ServiceSettings>, client: Partial<ClientSettings>) {
  return [{ settings: serviceSettings(service), clients: [clientSettings({ ...free, ...client })] }];
}

test("clients of one number at two services are two clients, whichever was asked for first", async (t) => {
  const { operations } = await createEngineByHand(t, [
    ...oneService({}, { clientSecret: "one" }),
    ...oneService({ apiKey: other }, { clientSecret: "two" }),
  ]);
  const codes: string[] = [];
  for (const [id, secret] of [
    [serviceId, "one"],
    [other, "one"],
    [other, "two"],
    [serviceId, "two"],
    [serviceId, "one"],
  ] as const) {
    codes.push((await operations(id).authToken(asked(secret))).resultCode);
  }
  t.deepEqual(codes, ["A052001", "A157305", "A052001", "A157305", "A052001"]);
});

test("a client's new secret counts from the moment it is stored, and the old one no more", async (t) => {
  const { operations, configure } = await createEngineByHand(t, oneService({}, { clientSecret: "old" }));
  const { authToken } = operations();
  const codeOf = async (secret: string) => (await authToken(asked(secret))).resultCode;
  t.is(await codeOf("old"), "A052001");
  t.is(await codeOf("new"), "A157305");
  await configure(oneService({}, { clientSecret: "new" }));
  t.is(await codeOf("old"), "A157305");
  t.is(await codeOf("new"), "A052001");
});

test("a service's new settings count from the moment they are stored", async (t) => {
  const { operations, configure, engine } = await createEngineByHand(t, oneService({ accessTokenDuration: 60 }, {}));
  const { authToken } = operations();
  const { clientSecret = "" } = clientSettings({ clientId: 1 });
  t.is((await authToken(asked(clientSecret))).accessTokenDuration, 60);
  await configure(oneService({ accessTokenDuration: 90, accessTokens: ["new-token"] }, {}));
  t.is((await authToken(asked(clientSecret))).accessTokenDuration, 90);
  const caller = await engine.authenticateApiCaller({ scheme: "bearer", serviceId, accessToken: "new-token" });
  t.true("service" in caller);
});

test("a locked client's tokens are refused at once and stand again at once, with no restart between", async (t) => {
  const { operations, configure } = await createEngineByHand(t, oneService({}, {}));
  const { authToken, authIntrospection } = operations();
  const { clientSecret = "" } = clientSettings({ clientId: 1 });
  const { accessToken = "" } = await authToken(asked(clientSecret));
  const decide = async () => (await authIntrospection({ token: accessToken })).resultCode;
  t.is(await decide(), "A056001");
  await configure(oneService({}, { locked: true }));
  t.is(await decide(), "A097303");
  await configure(oneService({}, {}));
  t.is(await decide(), "A056001");
});

test("a service's operations are made once, and no more than a thousand services are remembered", async (t) => {
  const { operations } = await createEngineByHand(t, oneService({}, {}));
  const first = operations();
  t.is(operations(), first);
  for (let id = 1; id <= 999; id++) operations(id + 10_000);
  t.is(operations(), first);
  operations(20_000);
  t.not(operations(), first);
});

test("the remembered operations of a service that is gone are refused, and take up again with it", async (t) => {
  const { operations, configure } = await createEngineByHand(t, oneService({}, {}));
  const { authToken } = operations();
  const request = asked(clientSettings({ clientId: 1 }).clientSecret ?? "");
  await configure([]);
  await t.throwsAsync(authToken(request), { name: "ServiceUnknown" });
  await configure(oneService({}, {}));
  t.is((await authToken(request)).resultCode, "A052001");
});
