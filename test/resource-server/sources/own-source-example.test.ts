import { createHash } from "node:crypto";
import test, { type ExecutionContext } from "ava";
import { ownSource, type SessionRow } from "../../../examples/own-source.ts";
import { AccessTokenRefused } from "../../../src/resource-server/refusal/access-token-refused.ts";
import { openResourceServer } from "../../../src/resource-server/resource-server.ts";
import { otherX5tS256, start, x5tS256 } from "../../support/scripted-backend.ts";

const audience = "https://api.example.com";
const row: SessionRow = {
  user: "user-1",
  clientId: "4711",
  scopes: ["read"],
  audience,
  endsAt: start + 60_000,
  certificateSha256: x5tS256,
};

function open(t: ExecutionContext, change: Partial<SessionRow> = {}) {
  const time = { wall: start, monotonic: 0, table: start };
  const state = { failing: false, closed: false };
  const digest = createHash("sha256").update("token").digest("base64url");
  const source = ownSource({
    find(asked) {
      if (state.failing) return Promise.reject(new Error("disk"));
      return Promise.resolve(asked === digest ? { ...row, ...change } : undefined);
    },
    now: () => time.table,
    close() {
      state.closed = true;
      return Promise.resolve();
    },
  });
  const clocks = { clock: () => time.wall, monotonicClock: () => time.monotonic };
  const api = openResourceServer({ source, resource: audience, onWarning: () => undefined }, clocks);
  t.teardown(() => api.close());
  const authorize = (token = "token", certificate: { x5tS256: string } | undefined = { x5tS256 }) =>
    api.authorize({ token, certificate, requirement: { scopes: ["read"] } });
  return { api, authorize, state, time };
}

test("the example's source accepts with the certificate, rejects without, and reports an outage", async (t) => {
  const { api, authorize, state } = open(t);
  t.like(await authorize(), { sub: "user-1", clientId: "4711", issuer: "https://sessions.example.com", x5tS256 });
  await t.throwsAsync(authorize("token", { x5tS256: otherX5tS256 }), { instanceOf: AccessTokenRefused });
  await t.throwsAsync(authorize("unknown"), { instanceOf: AccessTokenRefused });
  state.failing = true;
  t.like(await t.throwsAsync(authorize("another")), { code: "introspection_unavailable" });
  await api.close();
  t.true(state.closed);
});

test("the example's source refuses a row with a mistake in it", async (t) => {
  for (const change of [
    { endsAt: row.endsAt * 1000 },
    { certificateSha256: "" },
    { audience: "https://other.example" },
  ]) {
    await t.throwsAsync(open(t, change).authorize(), undefined, JSON.stringify(change));
  }
});

test("the example's source counts by the table's clock", async (t) => {
  for (const wrong of [-3_600_000, 3_600_000]) {
    const { authorize, time } = open(t);
    time.wall += wrong;
    await t.notThrowsAsync(authorize());
    time.monotonic = 59_999;
    time.table += 59_999;
    await t.notThrowsAsync(authorize());
    time.monotonic = 60_000;
    time.table += 1;
    t.like(await t.throwsAsync(authorize(), { instanceOf: AccessTokenRefused }), { code: "token_expired" });
  }
});
