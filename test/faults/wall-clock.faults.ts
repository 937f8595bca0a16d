import test from "ava";
import { startFaultDeployment } from "./fault-deployment.ts";
import { sharedClock } from "../support/forked-program.ts";

const hour = 3_600_000;

test("the wall clock steps back an hour: an expired token stays rejected, also during an outage", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { api, proxy } = deployment;
  const [expired, alive] = [await deployment.issue({ briefly: true }), await deployment.issue()];
  for (const token of [expired, alive]) await deployment.askFor(200, "long", token);
  await deployment.askFor(401, "long", expired);
  const accepted = (await api.tell("accepted", expired)).length;
  await api.tell("shift", -hour);
  t.is((await deployment.get("long", expired)).status, 401);
  await proxy.tell("questions", "swallow");
  for (const server of ["long", "brief"]) t.true([401, 503].includes((await deployment.get(server, expired)).status));
  t.is((await api.tell("accepted", expired)).length, accepted);
  // What has not expired is not asked for again either.
  t.is((await deployment.get("long", alive)).status, 200);
});

test("the wall clock steps back an hour while a token is remembered: it ends when it would have ended", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { api, proxy } = deployment;
  const token = await deployment.issue({ briefly: true });
  t.is((await deployment.get("long", token)).status, 200);
  await api.tell("shift", -hour);
  // Nobody can tell the API that it has expired.
  await proxy.tell("questions", { refuse: 1_000_000 });
  await deployment.askFor(503, "long", token);
  await proxy.tell("questions", "pass");
  t.deepEqual(
    [...new Set(await deployment.askFor(401, "long", token))].filter((status) => status !== 503),
    [],
  );
});

test("the wall clock steps forward an hour and back: no remembered token ends by it, nor a fresh one", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { api, proxy } = deployment;
  const token = await deployment.issue();
  t.is((await deployment.get("long", token)).status, 200);
  await deployment.vouched("long");
  const { questions } = await proxy.tell("report");
  await api.tell("shift", hour + 60_000);
  t.is((await deployment.get("long", token)).status, 200);
  t.is((await proxy.tell("report")).questions, questions, "neither lease nor expiry hangs on the wall clock");
  t.is((await deployment.get("long", await deployment.issue())).status, 200);
  await api.tell("shift", 0);
  t.is((await deployment.get("long", token)).status, 200);
  await deployment.vouched("long");
  await deployment.revoke(token);
  await deployment.askFor(401, "long", token);
});

for (const [what, shift] of [
  ["behind", -hour],
  ["ahead", hour],
] as const) {
  test(`an API whose clock is an hour ${what}: a token of 4 s expires on time while the stream is whole`, async (t) => {
    const deployment = await startFaultDeployment(t);
    const { api, proxy } = deployment;
    await api.tell("shift", shift);
    const { questions } = await proxy.tell("report");
    const token = await deployment.issue({ briefly: true });
    // It was issued before this instant: all clocks of this machine run alike.
    const endsBy = sharedClock() + 4000;
    t.is((await deployment.get("long", token)).status, 200, "a fresh one is let in");
    await deployment.vouched("long");
    const before = (await proxy.tell("report")).questions;
    t.is(before, questions + 1);
    await deployment.askFor(401, "long", token);
    // Nobody has revoked it, and the stream has vouched for it all the while: only its expiry ends it.
    for (const { at } of await api.tell("accepted", token)) t.true(at <= endsBy, `${at - endsBy} ms late`);
    await deployment.askUntil("long", token, endsBy + 1000);
    for (const { at } of await api.tell("accepted", token)) t.true(at <= endsBy);
  });
}
