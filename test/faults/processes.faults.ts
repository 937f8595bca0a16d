import { DatabaseSync } from "node:sqlite";
import test from "ava";
import { sharedClock } from "../support/forked-program.ts";
import { boundWithoutStream, boundWithStream, startFaultDeployment } from "../support/fault-deployment.ts";

const unexpected = (statuses: readonly number[], ...expected: readonly number[]): number[] =>
  statuses.filter((status) => !expected.includes(status));

test("the backend is stopped and goes on: what is remembered is served within the bound, then 503, then again", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { backend, api } = deployment;
  const token = await deployment.issue();
  await deployment.askFor(200, "brief", token);
  await deployment.vouched("brief");
  backend.signal("SIGSTOP");
  const stopped = sharedClock();
  // Nothing was vouched for, and nothing answered, after the stop.
  const until = stopped + boundWithoutStream;
  const statuses = await deployment.askUntil("brief", token, until);
  t.deepEqual(unexpected(statuses, 200, 503), []);
  t.is(statuses[0], 200);
  t.is(statuses.at(-1), 503);
  t.deepEqual(
    (await api.tell("accepted", token)).filter(({ at }) => at > until),
    [],
  );
  backend.signal("SIGCONT");
  t.deepEqual(unexpected(await deployment.askFor(200, "brief", token), 503), []);
  await deployment.vouched("long");
  await deployment.askFor(200, "long", token);
  await deployment.vouched("long");
  await deployment.revoke(token);
  await deployment.askFor(401, "long", token);
});

test("heartbeats stop while the store's events cannot be read: tokens are asked for again, and in the end all is known", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { proxy, api } = deployment;
  const token = await deployment.issue();
  await deployment.askFor(200, "brief", token);
  await deployment.vouched("brief");
  const store = new DatabaseSync(deployment.store);
  store.exec("ALTER TABLE invalidation_event RENAME TO away");
  const { questions } = await proxy.tell("report");
  const { heartbeat } = await api.tell("taken", "brief");
  const statuses = await deployment.askUntil("brief", token, sharedClock() + 2 * boundWithoutStream);
  t.deepEqual(unexpected(statuses, 200, 503), []);
  t.true((await api.tell("taken", "brief")).heartbeat <= heartbeat + 1, "one may have been on its way");
  t.true((await proxy.tell("report")).questions > questions, "its lease has run out");
  store.exec("ALTER TABLE away RENAME TO invalidation_event");
  store.close();
  await deployment.vouched("brief");
  await deployment.askFor(200, "long", token);
  await deployment.vouched("long");
  await deployment.revoke(token);
  await deployment.askFor(401, "long", token);
  t.is((await api.tell("taken", "long")).reset, 1);
});

test("the backend is killed and started again on its file: the stream goes on where it was, and nothing is lost", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { backend, proxy, api } = deployment;
  const [revoked, kept] = [await deployment.issue(), await deployment.issue()];
  for (const token of [revoked, kept]) await deployment.askFor(200, "long", token);
  await deployment.vouched("long");
  await proxy.tell("streams", { kind: "cut" });
  await deployment.revoke(revoked);
  await backend.end("SIGKILL");
  const again = await deployment.startBackend();
  await proxy.tell("lead", again.url);
  await proxy.tell("streams", { kind: "pass" });
  await deployment.askFor(401, "long", revoked);
  await deployment.askFor(200, "long", kept);
  t.is((await api.tell("taken", "long")).reset, 1, "no other than the first");
  await deployment.vouched("long");
  await deployment.revoke(kept, again);
  await deployment.askFor(401, "long", kept);
});

test("two backends on one file: revoked at one, noticed over the stream of the other, within the bound", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { api, proxy } = deployment;
  const other = await deployment.startBackend();
  const [first, second] = [await deployment.issue({ at: other }), await deployment.issue()];
  for (const token of [first, second]) await deployment.askFor(200, "long", token);
  await deployment.vouched("long");
  const until = (await deployment.revoke(first, other)) + boundWithStream;
  const statuses = await deployment.askUntil("long", first, until);
  t.is(statuses.at(-1), 401);
  t.deepEqual(
    (await api.tell("accepted", first)).filter(({ at }) => at > until),
    [],
  );

  // The next stream is the other's, whose clock begins elsewhere; the cursor is good there too.
  await proxy.tell("lead", other.url);
  await proxy.tell("cutStreams");
  await deployment.vouched("long");
  await deployment.askFor(200, "long", second);
  await deployment.vouched("long");
  await deployment.revoke(second);
  await deployment.askFor(401, "long", second);
  t.is((await api.tell("taken", "long")).reset, 1);
});

test("the API is stopped for longer than its lease and goes on: its first decision trusts nothing from before", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { api, proxy } = deployment;
  const token = await deployment.issue();
  await deployment.askFor(200, "brief", token);
  // It lives by the stream alone then.
  const statuses = await deployment.askUntil("brief", token, sharedClock() + boundWithoutStream + 500);
  t.deepEqual(unexpected(statuses, 200), []);
  await deployment.vouched("brief");
  api.signal("SIGSTOP");
  // No event may tell it: the lease alone must.
  await proxy.tell("streams", { kind: "silence" });
  const bound = (await deployment.revoke(token)) + boundWithStream;
  while (sharedClock() <= bound) await new Promise((resolve) => setTimeout(resolve, 50));
  // On a connection that is open: it waits in the API's socket.
  const asked = deployment.get("brief", token);
  await new Promise((resolve) => setTimeout(resolve, 50));
  api.signal("SIGCONT");
  t.true([401, 503].includes((await asked).status));
  await deployment.askFor(401, "brief", token);
  t.deepEqual(
    (await api.tell("accepted", token)).filter(({ at }) => at > bound),
    [],
  );
});
