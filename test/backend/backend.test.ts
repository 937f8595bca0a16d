import test from "ava";
import { pino } from "pino";
import { openBackend } from "../../src/backend/backend.ts";
import { configurationOf, serviceSettings } from "../support/settings.ts";

const services = [1, 2].map((apiKey) => ({ settings: serviceSettings({ apiKey }), clients: [] }));

for (const [what, of] of [
  ["no service", []],
  ["several services", services],
] as const) {
  test(`a backend of ${what} says what it is, and its own operations need a service to act for`, async (t) => {
    const backend = await openBackend({ configuration: configurationOf(of), log: pino({ level: "silent" }) });
    t.teardown(() => backend.close());
    const { version, features } = await backend.info(undefined);
    t.regex(version, /^\d+\.\d+\.\d+/);
    t.true(features.includes("authorization_code"));
    const request = { parameters: "token=x" };
    await t.throwsAsync(backend.authIntrospectionStandard(request), { instanceOf: TypeError, message: /serviceId/ });
    t.deepEqual(await backend.operationsFor(1).info(undefined), { version, features });
  });
}

test("with a serviceId the backend's own operations act for that service", async (t) => {
  const configuration = configurationOf(services);
  const backend = await openBackend({ configuration, log: pino({ level: "silent" }), serviceId: 2 });
  t.teardown(() => backend.close());
  const answer = await backend.authIntrospectionStandard({ parameters: "token=x" });
  t.is(answer.responseContent, '{"active":false}');
});
