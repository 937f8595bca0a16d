import { createHash } from "node:crypto";
import { copyFile, rm } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import test from "ava";
import { openSqliteStore } from "../../src/backend/store/sqlite/open-sqlite-store.ts";
import { boundWithStream, startFaultDeployment } from "./fault-deployment.ts";

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
  const store = new DatabaseSync(deployment.store, { timeout: 5_000 });
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

test("a backup is restored unannounced: a token revoked after it is rejected within the bound", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { backend, proxy, api } = deployment;
  const backup = `${deployment.store}.backup`;
  const store = new DatabaseSync(deployment.store, { timeout: 5_000 });
  store.prepare("VACUUM INTO ?").run(backup);
  store.close();
  // Remembered, of a position in the events that the backup has as well.
  const late = await deployment.issue();
  await deployment.askFor(200, "long", late);
  await deployment.vouched("long");
  const { reset } = await api.tell("taken", "long");
  await backend.end("SIGTERM");
  await rm(deployment.store);
  await copyFile(backup, deployment.store);
  const restored = await deployment.startBackend();
  // The revocation is acknowledged, though the token is not known any more.
  await deployment.revoke(late, restored);
  await proxy.tell("lead", restored.url);
  await api.tell("taking", { server: "long", type: "reset", count: reset + 1 });
  t.deepEqual(await deployment.askFor(401, "long", late), [], "at once");
});

test("a revocation of a token that the store has lost, its events unbroken, reaches every cache with it", async (t) => {
  const deployment = await startFaultDeployment(t);
  const token = await deployment.issue();
  await deployment.askFor(200, "long", token);
  await deployment.vouched("long");
  // As after a restore that nobody could notice: the token is gone, the place in the events is the same.
  const store = new DatabaseSync(deployment.store, { timeout: 5_000 });
  store.prepare("DELETE FROM access_token WHERE digest = ?").run(createHash("sha256").update(token).digest());
  store.close();
  t.is((await deployment.get("long", token)).status, 200, "it is remembered");
  const revoked = await deployment.revoke(token);
  const late = await deployment.askUntil("long", token, revoked + boundWithStream);
  t.is(late.at(-1), 401);
});
