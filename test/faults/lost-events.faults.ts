import { DatabaseSync } from "node:sqlite";
import test from "ava";
import { openSqliteStore } from "../../src/backend/store/sqlite/open-sqlite-store.ts";
import { startFaultDeployment } from "../support/fault-deployment.ts";

test("the events that a stream missed are past their retention: everything is forgotten and asked for anew", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { proxy, api } = deployment;
  const [revoked, kept] = [await deployment.issue(), await deployment.issue()];
  for (const token of [revoked, kept]) await deployment.askFor(200, "long", token);
  await deployment.vouched("long");
  await proxy.tell("streams", { kind: "cut" });
  await deployment.revoke(revoked);
  // The sweep keeps the last event, so that there is one to know the place by.
  await deployment.revoke(await deployment.issue());
  const store = await openSqliteStore({ path: deployment.store });
  t.is(await store.sweepInvalidationEvents(Date.now() + 1, 100), 1);
  await store.close();
  const { reset } = await api.tell("taken", "long");
  await proxy.tell("streams", { kind: "pass" });
  await api.tell("taking", { server: "long", type: "reset", count: reset + 1 });
  const { questions } = await proxy.tell("report");
  t.is((await deployment.get("long", revoked)).status, 401);
  await deployment.askFor(200, "long", kept);
  t.true((await proxy.tell("report")).questions >= questions + 2, "both were asked for");

  await deployment.vouched("long");
  await deployment.revoke(kept);
  await deployment.askFor(401, "long", kept);
});

test("the backend comes back from a backup that knows less than the stream: everything is forgotten", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { backend, proxy, api } = deployment;
  const [kept, revoked, other] = [await deployment.issue(), await deployment.issue(), await deployment.issue()];
  const backup = `${deployment.store}.backup`;
  const store = new DatabaseSync(deployment.store);
  store.prepare("VACUUM INTO ?").run(backup);
  store.close();
  const late = await deployment.issue();
  for (const token of [kept, revoked, late]) await deployment.askFor(200, "long", token);
  const { invalidation } = await api.tell("taken", "long");
  await deployment.revoke(other);
  await api.tell("taking", { server: "long", type: "invalidation", count: invalidation + 1 });
  await deployment.vouched("long");

  await backend.end("SIGKILL");
  const restored = await deployment.startBackend(backup);
  const { reset } = await api.tell("taken", "long");
  await proxy.tell("lead", restored.url);
  await api.tell("taking", { server: "long", type: "reset", count: reset + 1 });
  t.deepEqual(await deployment.askFor(401, "long", late), [], "at once");
  await deployment.askFor(200, "long", kept);
  await deployment.askFor(200, "long", revoked);
  await deployment.vouched("long");
  await deployment.revoke(revoked, restored);
  await deployment.askFor(401, "long", revoked);
  await deployment.askFor(200, "long", kept);
});
