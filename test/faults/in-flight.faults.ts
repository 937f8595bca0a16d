import test from "ava";
import { startFaultDeployment } from "./fault-deployment.ts";

test("a response that is pending during the revocation is neither used nor cached", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { proxy, api } = deployment;
  const [revoked, kept] = [await deployment.issue(), await deployment.issue()];
  const { questions } = await proxy.tell("report");
  await proxy.tell("questions", "hold");
  const underWay = [deployment.get("long", revoked), deployment.get("long", kept)];
  await proxy.tell("questionArrival", questions + 2);
  // The answers are on their way when the backend has given them: that it has is seen by its next answer.
  await deployment.issue();
  const { invalidation } = await api.tell("taken", "long");
  await deployment.revoke(revoked);
  await api.tell("taking", { server: "long", type: "invalidation", count: invalidation + 1 });
  await proxy.tell("release");
  const [ofRevoked, ofKept] = (await Promise.all(underWay)).map(({ status }) => status);
  t.deepEqual([ofRevoked, ofKept], [401, 200]);
  t.is((await proxy.tell("report")).questions, questions + 3, "the void answer was asked for once more");
  t.is((await deployment.get("long", revoked)).status, 401);
  t.deepEqual(await api.tell("accepted", revoked), []);
});

test("a response pending while the stream is lost and found is not used after the event that it missed", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { proxy, api } = deployment;
  const revoked = await deployment.issue();
  const { questions } = await proxy.tell("report");
  await proxy.tell("questions", "hold");
  const underWay = deployment.get("long", revoked);
  await proxy.tell("questionArrival", questions + 1);
  await deployment.issue();
  const { invalidation } = await api.tell("taken", "long");
  await proxy.tell("streams", { kind: "cut" });
  await deployment.revoke(revoked);
  await proxy.tell("streams", { kind: "pass" });
  await api.tell("taking", { server: "long", type: "invalidation", count: invalidation + 1 });
  await proxy.tell("release");
  t.true([401, 503].includes((await underWay).status));
  await deployment.askFor(401, "long", revoked);
  t.deepEqual(await api.tell("accepted", revoked), []);
});
