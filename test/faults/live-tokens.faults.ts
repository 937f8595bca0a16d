import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import test, { type ExecutionContext } from "ava";
import { WebSocket } from "ws";
import { type FaultDeployment, right, startFaultDeployment } from "./fault-deployment.ts";

/** A streamed answer that was begun; `ended` resolves to all that came when it has ended in good order. */
async function openStreamed(t: ExecutionContext, { apiUrl }: FaultDeployment, server: string, token: string) {
  const asked = request(`${apiUrl}/${server}/streamed`, {
    cert: right.pem,
    key: right.key,
    rejectUnauthorized: false,
    agent: false,
    headers: { authorization: `Bearer ${token}` },
  });
  t.teardown(() => asked.destroy());
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  t.is(response.statusCode, 200);
  let text = "";
  response.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  const ended = once(response, "end").then(() => text);
  // Those that do not end are broken off with the test.
  ended.catch(() => undefined);
  await once(response, "data");
  return { ended, text: () => text };
}

/** An open WebSocket; `closed` resolves to the code that it was closed with. */
async function openWebSocket(t: ExecutionContext, { apiUrl }: FaultDeployment, server: string, token: string) {
  const socket = new WebSocket(`${apiUrl.replace("https:", "wss:")}/${server}/socket`, {
    cert: right.pem,
    key: right.key,
    rejectUnauthorized: false,
    headers: { authorization: `Bearer ${token}` },
  });
  t.teardown(() => {
    socket.terminate();
  });
  const closed = once(socket, "close").then(([code]) => code as number);
  await once(socket, "message");
  return { closed, isOpen: () => socket.readyState === WebSocket.OPEN };
}

test("work that was begun with a token ends when it is revoked, and no other work ends", async (t) => {
  const deployment = await startFaultDeployment(t);
  const [revoked, kept] = [await deployment.issue(), await deployment.issue()];
  const [streamed, other] = [
    await openStreamed(t, deployment, "long", revoked),
    await openStreamed(t, deployment, "long", kept),
  ];
  const [socket, otherSocket] = [
    await openWebSocket(t, deployment, "long", revoked),
    await openWebSocket(t, deployment, "long", kept),
  ];
  await deployment.vouched("long");
  t.is(streamed.text(), "begun\n");
  await deployment.revoke(revoked);
  t.is(await streamed.ended, "begun\nended\n");
  t.is(await socket.closed, 1008);
  t.is(other.text(), "begun\n");
  t.true(otherSocket.isOpen());
  t.deepEqual(await deployment.api.tell("aborts", kept), []);
});

test("it ends also while the stream is cut: the token is asked for again within the bound", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { api, proxy } = deployment;
  const [revoked, kept] = [await deployment.issue(), await deployment.issue()];
  const streamed = await openStreamed(t, deployment, "brief", revoked);
  const socket = await openWebSocket(t, deployment, "brief", revoked);
  const other = await openStreamed(t, deployment, "brief", kept);
  await deployment.vouched("brief");
  await proxy.tell("streams", { kind: "cut" });
  await deployment.revoke(revoked);
  t.is(await streamed.ended, "begun\nended\n");
  t.is(await socket.closed, 1008);
  t.is(other.text(), "begun\n", "a good token goes on");
  t.deepEqual(await api.tell("aborts", kept), []);
});

test("if no source answers at all, work that was begun ends when the bound is over, without a response", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { proxy } = deployment;
  const token = await deployment.issue();
  const streamed = await openStreamed(t, deployment, "brief", token);
  const socket = await openWebSocket(t, deployment, "brief", token);
  await proxy.tell("questions", "swallow");
  await proxy.tell("streams", { kind: "cut" });
  t.is(await streamed.ended, "begun\nended\n");
  t.is(await socket.closed, 1008);
  t.is((await deployment.get("brief", token)).status, 503);
});
