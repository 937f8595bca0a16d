import { randomBytes } from "node:crypto";
import test from "ava";
import {
  MisplacedSettings,
  openClient,
  openService,
  sealClient,
  sealService,
} from "../../../src/backend/engine/settings/sealed-settings.ts";
import type { ClientSettings, ServiceSettings } from "../../../src/backend/engine/settings/settings.ts";
import { createSecretBox } from "../../../src/backend/secret-box/aes-secret-box.ts";
import { createEngineByHand } from "../../support/engine.ts";
import { clientSettings, secretOf, serviceId, serviceSettings } from "../../support/settings.ts";

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

const secretBox = createSecretBox(Buffer.alloc(32, 3), randomBytes);
const jwks = '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"the-public-half","d":"the-private-half"}]}';
const service = serviceSettings({ jwks });
const client = clientSettings({ clientId: 1 });

test("settings open as they were sealed, and the sealed text shows no secret", (t) => {
  const sealedService = sealService(service, secretBox).settings;
  const sealedClient = sealClient(serviceId, client, secretBox).settings;
  t.deepEqual(openService(serviceId, sealedService, secretBox), service);
  t.deepEqual(openClient(serviceId, 1, sealedClient, secretBox), client);
  for (const secret of [service.apiSecret, ...service.accessTokens, "the-private-half", "OKP"])
    t.false(sealedService.includes(secret));
  t.false(sealedClient.includes(secretOf(1)));
});

test("settings that stand in another's row are refused, with the ids of the text or with those of the row", (t) => {
  const sealedService = sealService(service, secretBox).settings;
  const sealedClient = sealClient(serviceId, client, secretBox).settings;
  t.throws(() => openService(2, sealedService, secretBox), { instanceOf: MisplacedSettings });
  t.throws(() => openClient(serviceId, 2, sealedClient, secretBox), { instanceOf: MisplacedSettings });
  const renamedService = sealedService.replace(`"apiKey":${serviceId}`, '"apiKey":2');
  const renamedClient = sealedClient.replace('"clientId":1', '"clientId":2');
  t.throws(() => openService(2, renamedService, secretBox));
  t.throws(() => openClient(serviceId, 2, renamedClient, secretBox));
  t.throws(() => openClient(2, 1, sealedClient, secretBox));
});

test("a service's keys open in the place of its keys only", (t) => {
  const sealed = JSON.parse(sealService(service, secretBox).settings) as { apiSecret: string; jwks: string };
  const exchanged = JSON.stringify({ ...sealed, apiSecret: sealed.jwks });
  t.throws(() => openService(serviceId, exchanged, secretBox));
});

test("the tag is equal for equal settings and different for any other, secrets included", (t) => {
  const tag = (settings: typeof client) => Buffer.from(sealClient(serviceId, settings, secretBox).settingsTag);
  t.deepEqual(tag(client), tag({ ...client }));
  t.notDeepEqual(tag(client), tag({ ...client, clientSecret: "another-secret-0123456789abcdefghi" }));
  t.notDeepEqual(tag(client), tag({ ...client, locked: true }));
  const tagOfService = (settings: typeof service) => Buffer.from(sealService(settings, secretBox).settingsTag);
  t.deepEqual(tagOfService(service), tagOfService({ ...service }));
  t.notDeepEqual(tagOfService(service), tagOfService({ ...service, jwks: '{"keys":[]}' }));
});
