import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import test from "ava";
import { sharedClock } from "../support/forked-program.ts";
import { boundWithoutStream, boundWithStream, startFaultDeployment } from "./fault-deployment.ts";

const unexpected = (statuses: readonly number[], ...expected: readonly number[]): number[] =>
  statuses.filter((status) => !expected.includes(status));

test("a suspended backend: cached tokens are served within the bound, then 503, then all again", async (t) => {
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

test("heartbeats stop while the store's events cannot be read: tokens are requested again, nothing is lost", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { proxy, api } = deployment;
  const token = await deployment.issue();
  await deployment.askFor(200, "brief", token);
  await deployment.vouched("brief");
  const store = new DatabaseSync(deployment.store, { timeout: 5_000 });
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

test("a killed and restarted backend: the stream continues at its cursor, and nothing is lost", async (t) => {
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

test("an API suspended for longer than its lease trusts nothing from before in its first decision", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { api, proxy } = deployment;
  const token = await deployment.issue();
  await deployment.askFor(200, "brief", token);
  await deployment.vouched("brief");
  api.signal("SIGSTOP");
  const stopped = sharedClock();
  // No event may tell it: its lease alone must.
  await proxy.tell("streams", { kind: "silence" });
  const revoked = await deployment.revoke(token);
  // On a busy machine the lease may have run out before the stop, and then the token was asked for anew: B′ holds. A
  // stopped API asks nothing, so from here on nothing it remembers is younger than the stop, and both bounds are over.
  const over = Math.max(stopped + boundWithoutStream, revoked + boundWithStream);
  while (sharedClock() <= over) await wait(over - sharedClock());
  // It waits in the API's socket.
  const asked = await deployment.send("brief", token);
  api.signal("SIGCONT");
  t.true([401, 503].includes((await asked.answer).status));
  await deployment.askFor(401, "brief", token);
  t.deepEqual(
    (await api.tell("accepted", token)).filter(({ at }) => at > stopped),
    [],
  );
});

test("a token requested just before the API is suspended may be accepted until B′, and not after", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { api, proxy } = deployment;
  const token = await deployment.issue();
  await deployment.askFor(200, "brief", token);
  // The stream is silent for longer than the lease, so the next decision rests on an answer of its own.
  await proxy.tell("streams", { kind: "silence" });
  const { questions } = await proxy.tell("report");
  while ((await proxy.tell("report")).questions === questions) await deployment.askFor(200, "brief", token);
  api.signal("SIGSTOP");
  const revoked = await deployment.revoke(token);
  const asked = await deployment.send("brief", token);
  api.signal("SIGCONT");
  // On a fast machine it is 200 here, and right so; on a slow one B′ is over.
  t.true([200, 401, 503].includes((await asked.answer).status));
  await deployment.askFor(401, "brief", token);
  t.deepEqual(
    (await api.tell("accepted", token)).filter(({ at }) => at > revoked + boundWithoutStream),
    [],
  );
});
