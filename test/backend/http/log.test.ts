import test from "ava";
import { createLog } from "../../../src/backend/http/create-log.ts";
import { accessToken, apiSecret, basic, bearer, serviceId, startApp, v2, v3, type CallOptions } from "./running-app.ts";

const marker = "MARKER-4711";
const certificate = `-----BEGIN CERTIFICATE-----\n${marker}\n-----END CERTIFICATE-----\n`;
const privateKey = `-----BEGIN PRIVATE KEY-----\n${marker}\n-----END PRIVATE KEY-----\n`;
const form = { "content-type": "application/x-www-form-urlencoded" };

const callsWithSecrets: readonly [string, CallOptions][] = [
  ["a token and a certificate", v3("/auth/introspection", { token: marker, clientCertificate: certificate })],
  ["a private key for a certificate", v3("/auth/introspection", { token: "a", clientCertificate: privateKey })],
  ["a client's secret", v2("/auth/token", { parameters: `client_secret=${marker}`, clientSecret: marker })],
  ["a secret where a list is due", v3("/auth/token", { parameters: "", clientCertificatePath: marker })],
  ["a secret that is a member's name", v3("/auth/token", { [marker]: marker })],
  ["a member that is not served", v3("/auth/token", { parameters: "", dpop: marker })],
  ["a body that is not JSON", { ...v3("/auth/token", {}), body: `{"parameters": ${marker}` }],
  [
    "a form that is none",
    { ...v3("/auth/token", {}), headers: { authorization: bearer, ...form }, body: `${marker}=%zz` },
  ],
  [
    "a form with a secret twice",
    { ...v3("/auth/token", {}), headers: { authorization: bearer, ...form }, body: `${marker}=${marker}&${marker}=1` },
  ],
  ["an Authorization header", { ...v3("/auth/token", {}), headers: { authorization: `Bearer ${marker}` } }],
  ["a malformed Authorization header", { ...v3("/auth/token", {}), headers: { authorization: `${marker} ${marker}` } }],
  ["a query", { ...v3("/auth/token", {}), path: `/api/auth/token?token=${marker}` }],
  ["a path", { method: "DELETE", path: `/api/auth/token/delete/${marker}`, headers: { authorization: basic } }],
  ["a path of a wrong method", { method: "PUT", path: `/api/auth/token/delete/${marker}` }],
  ["an unknown path", { path: `/api/${serviceId}/${marker}` }],
  ["headers nobody reads", { path: "/api/info", headers: { cookie: marker, "x-client-cert": marker, dpop: marker } }],
  ["a request id", { path: "/api/info", headers: { "x-request-id": `${marker} ${marker}` } }],
];

for (const [what, options] of callsWithSecrets) {
  test(`${what}: nothing of it is in the log, nor in a refusal`, async (t) => {
    const { call, log } = await startApp(t);
    const { headers, text } = await call(options);
    t.true(log.length > 0);
    const seen = [...log, text, JSON.stringify(headers)].join("\n");
    for (const secret of [marker, accessToken, apiSecret, basic.slice("Basic ".length)]) t.false(seen.includes(secret));
  });
}

test("a fault with a secret call behind it shows the fault and not the call", async (t) => {
  const { call, log } = await startApp(t, {
    operations: { authToken: () => Promise.reject(new Error("the disk is full", { cause: new Error("ENOSPC") })) },
  });
  await call(v2("/auth/token", { parameters: `client_secret=${marker}`, clientCertificate: certificate }));
  t.false(log.join("").includes(marker));
  t.true(log.join("").includes("ENOSPC"));
});

function logged(write: (log: ReturnType<typeof createLog>) => void): { text: string; line: Record<string, unknown> } {
  const lines: string[] = [];
  write(createLog({ level: "info", stream: { write: (line) => void lines.push(line) } }));
  const text = lines.join("");
  return { text, line: JSON.parse(text) as Record<string, unknown> };
}

test("members that carry secrets are redacted, in any case and at any depth", (t) => {
  const { text, line } = logged((log) => {
    log.info({
      token: marker,
      Authorization: marker,
      clientCertificatePath: [marker],
      request: { parameters: marker, list: [{ clientSecret: marker }], headers: { "Set-Cookie": marker } },
      kept: "kept",
    });
  });
  t.false(text.includes(marker));
  t.is(line["token"], "[redacted]");
  t.is(line["kept"], "kept");
  t.deepEqual(line["request"], {
    parameters: "[redacted]",
    list: [{ clientSecret: "[redacted]" }],
    headers: { "Set-Cookie": "[redacted]" },
  });
});

test("what a child logger carries is redacted, too", (t) => {
  const { text } = logged((log) => {
    log.child({ accessToken: marker, request: { token: marker } }).info("said");
  });
  t.false(text.includes(marker));
  t.true(text.includes("said"));
});

test("octets are never written out", (t) => {
  const { line } = logged((log) => {
    log.info({ digest: Buffer.from(marker), view: new Uint8Array([1, 2, 3]) });
  });
  t.deepEqual([line["digest"], line["view"]], ["[octets]", "[octets]"]);
});

test("an error is type, message, code, stack and cause; what else hangs on it stays out", (t) => {
  const cause = Object.assign(new Error("inner"), { code: "ENOSPC", request: { body: marker }, note: marker });
  const error = Object.assign(new TypeError("outer", { cause }), { options: marker });
  for (const { text, line } of [
    logged((log) => {
      log.error({ err: error }, "failed");
    }),
    logged((log) => {
      log.error(error);
    }),
  ]) {
    t.false(text.includes(marker));
    const described = line["err"] as Record<string, unknown>;
    t.deepEqual([described["type"], described["message"]], ["TypeError", "outer"]);
    t.like(described["cause"], { type: "Error", message: "inner", code: "ENOSPC" });
    t.true(String(described["stack"]).includes("log.test"));
  }
});

test("an object that contains itself ends", (t) => {
  const circle: Record<string, unknown> = { token: marker };
  circle["self"] = circle;
  const { text } = logged((log) => {
    log.info({ circle });
  });
  t.false(text.includes(marker));
  t.true(text.includes("[too deep]"));
});
