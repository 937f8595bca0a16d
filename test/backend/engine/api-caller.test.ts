import test from "ava";
import { createEngineByHand } from "../../support/engine.ts";
import { apiSecret, serviceId, serviceSettings } from "../../support/settings.ts";

const other = serviceId + 1;
const services = [
  { settings: serviceSettings({ accessTokens: ["token-one", "token-two", "token-three"] }), clients: [] },
  {
    settings: serviceSettings({ apiKey: other, apiSecret: "other-secret", accessTokens: ["other-token"] }),
    clients: [],
  },
  { settings: serviceSettings({ apiKey: 7, apiSecret: "seven", accessTokens: [] }), clients: [] },
];
const basic = (apiKey: string, secret: string) => ({ scheme: "basic", apiKey, apiSecret: secret }) as const;
const bearer = (id: number, accessToken: string) => ({ scheme: "bearer", serviceId: id, accessToken }) as const;

for (const [what, credentials, id] of [
  ["the service's secret", basic(String(serviceId), apiSecret), serviceId],
  ["its first access token", bearer(serviceId, "token-one"), serviceId],
  ["its second access token", bearer(serviceId, "token-two"), serviceId],
  ["its last access token", bearer(serviceId, "token-three"), serviceId],
  ["another service's secret for that service", basic(String(other), "other-secret"), other],
] as const) {
  test(`an API caller with ${what} speaks for the service`, async (t) => {
    const { engine } = await createEngineByHand(t, services);
    const caller = await engine.authenticateApiCaller(credentials);
    t.is("service" in caller ? caller.service.settings.apiKey : undefined, id);
  });
}

for (const [what, credentials, code] of [
  ["a service that is not known", basic("1", apiSecret), "A003201"],
  ["a service id with a leading zero", basic(`0${serviceId}`, apiSecret), "A003201"],
  ["a service id with a space", basic(`${serviceId} `, apiSecret), "A003201"],
  ["no service id", basic("", apiSecret), "A003201"],
  ["a service id beyond exact numbers", basic("9007199254740993", apiSecret), "A003201"],
  ["a wrong secret", basic(String(serviceId), "wrong"), "A003204"],
  ["an empty secret", basic(String(serviceId), ""), "A003204"],
  ["another service's secret", basic(String(serviceId), "other-secret"), "A003204"],
  ["an access token for a secret", basic(String(serviceId), "token-one"), "A003204"],
  ["a wrong access token", bearer(serviceId, "wrong"), "A458101"],
  ["an empty access token", bearer(serviceId, ""), "A458101"],
  ["another service's access token", bearer(serviceId, "other-token"), "A458101"],
  ["the secret for an access token", bearer(serviceId, apiSecret), "A458101"],
  ["an access token for a service that is not known", bearer(1, "token-one"), "A458101"],
  ["an access token for a service that has none", bearer(7, ""), "A458101"],
] as const) {
  test(`an API caller with ${what}: ${code}`, async (t) => {
    const { engine } = await createEngineByHand(t, services);
    t.deepEqual(await engine.authenticateApiCaller(credentials), { error: code });
  });
}
