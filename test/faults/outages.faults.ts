import test, { type ExecutionContext } from "ava";
import type { ApiServer } from "./api-commands.ts";
import { sharedClock } from "../support/forked-program.ts";
import {
  boundWithoutStream,
  type FaultDeployment,
  startFaultDeployment,
  usualServers,
  wrong,
} from "./fault-deployment.ts";

const limits = { maxConcurrent: 4, maxQueued: 8 };
const staleFor = 3000;
const servers = {
  ...usualServers,
  bounded: { ...usualServers.brief, questions: limits },
  stale: { ...usualServers.brief, cache: { ...usualServers.brief.cache, staleIfUnavailable: staleFor / 1000 } },
} as const satisfies Record<string, ApiServer>;

/** No question reaches the backend and no stream is to be had; `swallow`: connections are taken and nothing comes. */
async function breakOff({ proxy }: FaultDeployment, how: "refuse" | "swallow"): Promise<number> {
  await proxy.tell("questions", how === "swallow" ? "swallow" : { refuse: 1_000_000 });
  await proxy.tell("streams", { kind: "cut" });
  return sharedClock();
}

async function heal({ proxy }: FaultDeployment): Promise<void> {
  await proxy.tell("questions", "pass");
  await proxy.tell("streams", { kind: "pass" });
}

function assertUnavailable(t: ExecutionContext, answer: Awaited<ReturnType<FaultDeployment["get"]>>): void {
  t.is(answer.status, 503);
  t.regex(String(answer.headers["retry-after"]), /^[1-9]\d*$/);
  t.is(answer.headers["www-authenticate"], undefined);
}

for (const how of ["refuse", "swallow"] as const) {
  const what = how === "refuse" ? "refuses connections" : "takes connections and says nothing";
  test(`the backend ${what}: a cached token is served within the bound, an unknown one never; then all again`, async (t) => {
    const deployment = await startFaultDeployment(t, servers);
    const { api } = deployment;
    const [hot, cold] = [await deployment.issue(), await deployment.issue()];
    await deployment.askFor(200, "brief", hot);
    await deployment.vouched("brief");
    const until = (await breakOff(deployment, how)) + boundWithoutStream;
    t.is((await deployment.get("brief", hot)).status, 200, "it is remembered");
    const unknown = deployment.get("brief", cold);
    const statuses = await deployment.askUntil("brief", hot, until);
    t.deepEqual(
      statuses.filter((status) => ![200, 503].includes(status)),
      [],
    );
    assertUnavailable(t, await unknown);
    assertUnavailable(t, await deployment.get("brief", hot));
    t.deepEqual(
      (await api.tell("accepted", hot)).filter(({ at }) => at > until),
      [],
    );
    t.deepEqual(await api.tell("accepted", cold), []);
    await heal(deployment);
    for (const token of [hot, cold]) {
      const before = await deployment.askFor(200, "brief", token);
      t.deepEqual(
        before.filter((status) => status !== 503),
        [],
      );
    }
    await deployment.vouched("brief");
  });
}

test("staleIfUnavailable: served for so much longer and no longer, with the certificate checked all along", async (t) => {
  const deployment = await startFaultDeployment(t, servers);
  const { api } = deployment;
  const token = await deployment.issue();
  for (const server of ["stale", "brief"]) await deployment.askFor(200, server, token);
  await deployment.vouched("stale");
  const brokenAt = await breakOff(deployment, "refuse");
  await deployment.askFor(503, "brief", token);
  t.is((await deployment.get("stale", token)).status, 200, "the other one has given up already");
  t.is((await deployment.get("stale", token, wrong)).status, 401);
  const until = brokenAt + boundWithoutStream + staleFor;
  const statuses = await deployment.askUntil("stale", token, until);
  t.is(statuses.at(-1), 503);
  t.deepEqual(
    (await api.tell("accepted", token)).filter(({ at, server }) => server === "stale" && at > until),
    [],
  );
});

test("staleIfUnavailable: never past the token's expiry", async (t) => {
  const deployment = await startFaultDeployment(t, {
    stale: { ...servers.stale, cache: { ...servers.stale.cache, staleIfUnavailable: 600 } },
  });
  const { api } = deployment;
  const [brief, alive] = [await deployment.issue({ briefly: true }), await deployment.issue()];
  for (const token of [brief, alive]) await deployment.askFor(200, "stale", token);
  await breakOff(deployment, "refuse");
  const before = await deployment.askFor(503, "stale", brief);
  t.deepEqual(
    before.filter((status) => status !== 200),
    [],
  );
  const count = (await api.tell("accepted", brief)).length;
  t.is((await deployment.get("stale", alive)).status, 200);
  t.is((await deployment.get("stale", brief)).status, 503);
  await api.tell("shift", -3_600_000);
  t.is((await deployment.get("stale", brief)).status, 503);
  t.is((await api.tell("accepted", brief)).length, count);
});

test("staleIfUnavailable: a token whose revocation came over the stream is not accepted any more", async (t) => {
  const deployment = await startFaultDeployment(t, servers);
  const { api, proxy } = deployment;
  const [revoked, kept] = [await deployment.issue(), await deployment.issue()];
  for (const token of [revoked, kept]) await deployment.askFor(200, "stale", token);
  await deployment.vouched("stale");
  const { invalidation } = await api.tell("taken", "stale");
  await proxy.tell("questions", { refuse: 1_000_000 });
  await deployment.revoke(revoked);
  await api.tell("taking", { server: "stale", type: "invalidation", count: invalidation + 1 });
  const count = (await api.tell("accepted", revoked)).length;
  const statuses = await deployment.askUntil("stale", revoked, sharedClock() + boundWithoutStream);
  t.deepEqual([...new Set(statuses)], [503]);
  t.is((await api.tell("accepted", revoked)).length, count);
  t.is((await deployment.get("stale", kept)).status, 200);
});

test("a silent backend under load: bounded requests, 503 for all, and it recovers by itself", async (t) => {
  const deployment = await startFaultDeployment(t, servers);
  const { api, proxy } = deployment;
  const hot = await deployment.issue();
  await deployment.askFor(200, "long", hot);
  await deployment.askFor(200, "bounded", hot);
  await deployment.vouched("long");
  const cold = Array.from({ length: 100 }, (_, at) => `unknown-token-${at}`);
  await proxy.tell("questions", "swallow");
  const ofCold = cold.map((token) => deployment.get("bounded", token));
  const remembered = await deployment.get("long", hot);
  for (const answer of await Promise.all(ofCold)) assertUnavailable(t, answer);
  t.is(remembered.status, 200);
  const { mostOpen } = await proxy.tell("report");
  // One turn after another: what was given up is closed, and the proxy sees that a moment later.
  t.true(mostOpen >= limits.maxConcurrent && mostOpen <= 2 * limits.maxConcurrent, String(mostOpen));
  await proxy.tell("questions", "pass");
  await deployment.askFor(401, "bounded", "unknown-token-0");
  await deployment.askFor(200, "bounded", await deployment.issue());
  t.deepEqual(await api.tell("accepted", "unknown-token-0"), []);
});

test("the cost of a silent backend to an API under load", async (t) => {
  const patient = { cache: { ttl: 600 }, timeout: 2000 };
  const deployment = await startFaultDeployment(t, { patient });
  const { api, proxy } = deployment;
  const token = await deployment.issue();
  await deployment.askFor(200, "patient", token);
  await deployment.vouched("patient");
  /** Three times so many unknown tokens at once: the limits let 64 be asked for and 1,000 wait. */
  const load = async (prefix: string, count: number): Promise<(number | string)[]> => {
    const statuses: (number | string)[] = [];
    for (let round = 0; round < 3; round++) {
      statuses.push(...(await api.tell("scatter", { server: "patient", prefix: `${prefix}-${round}`, count })));
    }
    return statuses;
  };
  await api.tell("cost");
  t.true((await load("answered", 1000)).includes(401));
  const answered = await api.tell("cost");
  await proxy.tell("questions", "swallow");
  t.deepEqual([...new Set(await load("swallowed", 5000))], [503]);
  const swallowed = await api.tell("cost");
  t.is((await deployment.get("patient", token)).status, 200, "what is remembered is served");
  t.true((await proxy.tell("report")).mostOpen <= 2 * 64);
  t.log(`3 times 1000 unknown tokens at once, answered: ${JSON.stringify(answered)}`);
  t.log(`3 times 5000, the backend says nothing: ${JSON.stringify(swallowed)}`);
});
