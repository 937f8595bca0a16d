import { randomBytes } from "node:crypto";
import test from "ava";
import {
  MisplacedSettings,
  openClient,
  openService,
  sealClient,
  sealService,
} from "../../../src/backend/engine/settings/sealed-settings.ts";
import { createSecretBox } from "../../../src/backend/secret-box/aes-secret-box.ts";
import { clientSettings, secretOf, serviceId, serviceSettings } from "../../support/settings.ts";

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
