import test from "ava";
import type { SecretBox } from "../../../../src/backend/engine/dependencies.ts";
import { sealService } from "../../../../src/backend/engine/settings/sealed-settings.ts";
import { createSettings } from "../../../../src/backend/engine/settings/service-and-client.ts";
import { createEngineByHand } from "../../../support/engine.ts";
import { serviceSettings } from "../../../support/settings.ts";

const secretBox: SecretBox = {
  seal: (plaintext) => plaintext,
  open: (sealed) => sealed,
  tag: () => new Uint8Array(32),
};

test("settings are parsed once a version, and those of ten thousand services at most are remembered", async (t) => {
  const { dependencies } = await createEngineByHand(t, []);
  const store = {
    ...dependencies.store,
    readService: (serviceId: number) =>
      Promise.resolve({ serviceId, version: 1, ...sealService(serviceSettings({ apiKey: serviceId }), secretBox) }),
  };
  const settings = createSettings({ ...dependencies, store, secretBox });
  const first = await settings.service(1);
  const second = await settings.service(2);
  for (let serviceId = 3; serviceId <= 10_000; serviceId++) await settings.service(serviceId);
  t.is(await settings.service(1), first);
  await settings.service(10_001);
  t.is(await settings.service(2), second, "the one that was parsed first makes room, and no other");
  t.not(await settings.service(1), first);
});
