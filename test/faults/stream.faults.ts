import test from "ava";
import { sharedClock } from "../support/forked-program.ts";
import { boundWithoutStream, boundWithStream, startFaultDeployment } from "./fault-deployment.ts";
import type { StreamFault } from "./stream-faults.ts";

const heartbeat = (data: string): string => `event: heartbeat\nid: abc:1\ndata: ${data}`;

const faults: readonly (readonly [what: string, fault: StreamFault | { readonly kind: "cut" }])[] = [
  ["cut, and not to be had again", { kind: "cut" }],
  ["cut in the middle of the event", { kind: "break" }],
  ["silent", { kind: "silence" }],
  ["five seconds late", { kind: "delay", milliseconds: 5000 }],
  ["duplicated", { kind: "duplicate" }],
  ["out of order", { kind: "reorder" }],
  ["without its invalidations, while heartbeats come", { kind: "swallow" }],
  ["garbage: an invalid event", { kind: "garbage", text: 'event: invalidation\nid: x\ndata: {"keys":' }],
  ["garbage: a heartbeat of another chain", { kind: "garbage", text: heartbeat('{"after":"abc:0","polledAt":1}') }],
  [
    "garbage: a heartbeat whose time lies ahead",
    { kind: "garbage", text: heartbeat('{"after":"a","polledAt":1e300}') },
  ],
  ["garbage: an unknown type", { kind: "garbage", text: "event: other\ndata: {}" }],
  ["garbage: no text", { kind: "garbage", text: "\u0000\uffff\r\r data: \u0007" }],
  ["garbage: an HTML page", { kind: "garbage", text: "<html>\n<body>504 Gateway Time-out</body>" }],
];

for (const [what, fault] of faults) {
  test(`the stream is ${what}: no token is accepted later than the bound; then it recovers`, async (t) => {
    const deployment = await startFaultDeployment(t);
    const { proxy, api } = deployment;
    const [revoked, kept] = [await deployment.issue(), await deployment.issue()];
    for (const server of ["brief", "long"]) {
      for (const token of [revoked, kept]) await deployment.askFor(200, server, token);
      await deployment.vouched(server);
    }

    await proxy.tell("streams", fault);
    // Heartbeats come again, and each is of long ago.
    if (fault.kind === "delay") await deployment.vouched("brief");
    const acknowledged = await deployment.revoke(revoked);
    const until = acknowledged + boundWithoutStream;
    const [ofRevoked, ofKept] = await Promise.all([
      deployment.askUntil("brief", revoked, until),
      deployment.askUntil("brief", kept, until),
    ]);
    t.deepEqual(
      [...ofRevoked].filter((status) => ![200, 401, 503].includes(status)),
      [],
    );
    t.deepEqual(
      [...ofKept].filter((status) => ![200, 503].includes(status)),
      [],
      "nothing is said of a good token",
    );
    t.true(ofKept.includes(200), "the backend can be asked all along");
    t.not(ofRevoked.at(-1), 200);
    const late = (await api.tell("accepted", revoked)).filter(({ server, at }) => server === "brief" && at > until);
    t.deepEqual(late, []);

    await proxy.tell("streams", { kind: "pass" });
    // What was missed is made good; nothing but the stream tells this one of it.
    await deployment.askFor(401, "long", revoked);
    await deployment.askFor(200, "long", kept);
    await deployment.vouched("long");
    const again = await deployment.revoke(kept);
    await deployment.askFor(401, "long", kept);
    t.true(again < sharedClock());
    t.is((await api.tell("taken", "long")).reset, 1, "nothing was lost");
  });
}

test("without a fault: the bound of a whole stream holds, and unrevoked tokens are not requested again", async (t) => {
  const deployment = await startFaultDeployment(t);
  const { proxy, api } = deployment;
  const [revoked, kept] = [await deployment.issue(), await deployment.issue()];
  for (const token of [revoked, kept]) {
    await deployment.askFor(200, "long", token);
    await deployment.askFor(200, "brief", token);
  }
  for (const server of ["long", "brief"]) await deployment.vouched(server);
  const before = await proxy.tell("report");
  const acknowledged = await deployment.revoke(revoked);
  const until = acknowledged + boundWithStream;
  const [ofRevoked, ofKept] = await Promise.all([
    deployment.askUntil("long", revoked, until),
    deployment.askUntil("long", kept, until),
  ]);
  t.is(ofRevoked.at(-1), 401);
  t.deepEqual([...new Set(ofKept)], [200]);
  t.deepEqual(
    (await api.tell("accepted", revoked)).filter(({ at }) => at > until),
    [],
  );
  t.is(before.passed["invalidation"] ?? 0, 0);
  t.is((await proxy.tell("report")).passed["invalidation"], 2, "one on each stream");
});
