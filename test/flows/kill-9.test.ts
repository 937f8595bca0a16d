import { createHash, randomInt } from "node:crypto";
import test from "ava";
import { createApiClient } from "../../src/api-client/index.ts";
import { startBackendProcess } from "../support/backend-process.ts";
import { writeBackendConfiguration } from "./backend-configuration.ts";
import { serviceId } from "../support/settings.ts";

const secrets = {
  SECRET_KEY: Buffer.alloc(32, 9).toString("base64"),
  API_SECRET: "api-secret-0123456789",
  ACCESS_TOKEN: "service-access-token-0123456789",
  CLIENT_SECRET: "client-secret-0123456789",
};

/** Reproducible: the same seed kills after the same numbers of answers. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = createHash("sha256").update(String(state)).digest().readUInt32BE();
    return state % below;
  };
}

test("kill -9 at random instants during 300 issues: every acknowledged token is known afterwards", async (t) => {
  const configuration = await writeBackendConfiguration(t);
  const seed = randomInt(1_000_000);
  t.log(`seed ${seed}`);
  const random = randomFrom(seed);
  const acknowledged: string[] = [];
  let asked = 0;
  let kills = 0;
  while (asked < 300) {
    const backend = await startBackendProcess(t, configuration, secrets);
    const api = createApiClient({
      baseUrl: backend.url,
      serviceId,
      credentials: { accessToken: secrets.ACCESS_TOKEN },
      timeout: { attempt: 30_000, total: 30_000 },
    });
    for (const token of acknowledged) {
      const { responseContent } = await api.authIntrospectionStandard({ parameters: `token=${token}` });
      t.regex(responseContent ?? "", /"active":true/);
    }
    const before = acknowledged.length;
    const killAfter = before + 1 + random(40);
    let killed: Promise<unknown> | undefined;
    const issueUntilKilled = async (): Promise<void> => {
      while (killed === undefined && asked < 300) {
        asked += 1;
        try {
          const parameters = `grant_type=client_credentials&client_id=1&client_secret=${secrets.CLIENT_SECRET}`;
          const { accessToken } = await api.authToken({ parameters });
          if (accessToken !== undefined) acknowledged.push(accessToken);
        } catch {
          // Not acknowledged: whether it was kept is nobody's promise.
        }
        if (acknowledged.length >= killAfter) killed ??= backend.end("SIGKILL");
      }
    };
    await Promise.all(Array.from({ length: 16 }, issueUntilKilled));
    await (killed ?? backend.end("SIGKILL"));
    kills += 1;
    await api.close();
  }
  const backend = await startBackendProcess(t, configuration, secrets);
  const api = createApiClient({ baseUrl: backend.url, serviceId, credentials: { accessToken: secrets.ACCESS_TOKEN } });
  for (const token of acknowledged) {
    const { responseContent } = await api.authIntrospectionStandard({ parameters: `token=${token}` });
    t.regex(responseContent ?? "", /"active":true/);
  }
  t.true(acknowledged.length > 100, `${acknowledged.length} acknowledged`);
  t.true(kills >= 5, `${kills} kills`);
  t.log(`${acknowledged.length} acknowledged, ${kills} kills`);
  await api.close();
  t.is(await backend.end("SIGTERM"), 0);
});

test("a stop under load keeps every token that was acknowledged, and the exit code is 0", async (t) => {
  const configuration = await writeBackendConfiguration(t);
  const backend = await startBackendProcess(t, configuration, secrets);
  const connection = { serviceId, credentials: { accessToken: secrets.ACCESS_TOKEN } } as const;
  const api = createApiClient({ baseUrl: backend.url, ...connection });
  const parameters = `grant_type=client_credentials&client_id=1&client_secret=${secrets.CLIENT_SECRET}`;
  const underWay = Array.from({ length: 20 }, () => api.authToken({ parameters }).catch(() => undefined));
  await Promise.race(underWay);
  t.is(await backend.end("SIGTERM"), 0);
  const tokens = (await Promise.all(underWay))
    .map((answer) => answer?.accessToken)
    .filter((token) => token !== undefined);
  t.true(tokens.length > 0);
  await api.close();
  const next = await startBackendProcess(t, configuration, secrets);
  const again = createApiClient({ baseUrl: next.url, ...connection });
  for (const token of tokens) {
    const { responseContent } = await again.authIntrospectionStandard({ parameters: `token=${token}` });
    t.regex(responseContent ?? "", /"active":true/);
  }
  await again.close();
});
