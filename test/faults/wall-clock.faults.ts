import test from "ava";
import { startFaultDeployment } from "../support/fault-deployment.ts";

const hour = 3_600_000;

test("the wall clock steps back an hour: a token that has expired stays refused, whether it can be asked for or not", async (t) => {
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

test("the wall clock steps forward an hour and back: what has expired by it is refused, and lives on after it", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { api, proxy } = deployment;
  const token = await deployment.issue();
  t.is((await deployment.get("long", token)).status, 200);
  await deployment.vouched("long");
  const { questions } = await proxy.tell("report");
  await api.tell("shift", hour / 2);
  t.is((await deployment.get("long", token)).status, 200, "half of its life is left");
  t.is((await proxy.tell("report")).questions, questions, "no lease hangs on the wall clock");
  await api.tell("shift", hour + 60_000);
  t.is((await deployment.get("long", token)).status, 401);
  await api.tell("shift", 0);
  t.is((await deployment.get("long", token)).status, 200);
  await deployment.vouched("long");
  await deployment.revoke(token);
  await deployment.askFor(401, "long", token);
});
