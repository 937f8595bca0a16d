import test from "ava";
import { createLog, type LogOptions } from "../../../src/backend/http/create-log.ts";
import { accessToken, apiSecret, basic, bearer, type CallOptions, serviceId, startApp, v2, v3 } from "./running-app.ts";

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
  ["an invalid form", { ...v3("/auth/token", {}), headers: { authorization: bearer, ...form }, body: `${marker}=%zz` }],
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
  test(`${what}: neither the log nor a refusal quotes it`, async (t) => {
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

test("fields of a child logger are redacted, too", (t) => {
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

test("an error is logged by type, message, code, stack and cause, without its other members", (t) => {
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

/** All that a log writes, as one text. */
function written(options: Partial<LogOptions>, write: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = [];
  write(createLog({ level: "info", stream: { write: (line) => void lines.push(line) }, ...options }));
  return lines.join("");
}

const one = (log: ReturnType<typeof createLog>): void => {
  log.warn({ status: 200, ms: 1.5, sentence: "two words", route: "/api/{id}" }, "request");
};
const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z /;

test("for people a line is time, level, message, then names and values", (t) => {
  const text = written({ format: "text" }, one);
  t.regex(text, time);
  t.is(text.replace(time, ""), 'WARN  request status=200 ms=1.5 sentence="two words" route=/api/{id}\n');
});

for (const [what, options, isText] of [
  ["auto on a terminal", { format: "auto", isTerminal: true }, true],
  ["auto in a pipe", { format: "auto", isTerminal: false }, false],
  ["json on a terminal", { format: "json", isTerminal: true }, false],
  ["text in a pipe", { format: "text", isTerminal: false }, true],
  ["nothing said", {}, false],
] as const) {
  test(`the log with ${what} is ${isText ? "text" : "JSON"}`, (t) => {
    t.is(written(options, one).startsWith("{"), !isText);
  });
}

for (const [what, options, isColoured] of [
  ["on a terminal", { isTerminal: true }, true],
  ["on a terminal with NO_COLOR empty", { isTerminal: true, noColor: "" }, true],
  ["on a terminal with NO_COLOR", { isTerminal: true, noColor: "1" }, false],
  ["in a pipe", { isTerminal: false }, false],
] as const) {
  test(`text ${what} is ${isColoured ? "coloured" : "not coloured"}`, (t) => {
    t.is(written({ format: "text", ...options }, one).includes("\u001b["), isColoured);
  });
}

for (const [what, hostile] of [
  ["a line end", "a\nINFO forged"],
  ["an escape sequence", "a\u001b]0;title\u0007"],
  ["a control character of eight bits", "a\u009b2J"],
  ["a mark that turns the text around", "a\u202eb"],
  ["a lone carriage return", "a\rforged"],
  ["half a surrogate pair", "a\ud83db"],
] as const) {
  test(`${what} in a message, a name, a value or an error stays inside its line of text`, (t) => {
    const text = written({ format: "text", isTerminal: true, noColor: "1" }, (log) => {
      log.info({ value: hostile, [hostile]: 1, list: [hostile] }, hostile);
    });
    t.true(/^[\x20-\x7e]+\n$/.test(text), JSON.stringify(text));
    const failed = written({ format: "text" }, (log) => {
      log.error({ err: Object.assign(new Error(hostile), { stack: `Error: ${hostile}` }) }, "failed");
    });
    t.true(/^(?:[\x20-\x7e]+\n)+$/.test(failed), JSON.stringify(failed));
    // Whatever comes after the first line is indented: it cannot pass for a line of the log.
    for (const line of failed.trimEnd().split("\n").slice(1)) t.true(line.startsWith("    "));
  });
}

for (const level of ["trace", "debug", "info", "warn", "error", "fatal"] as const) {
  test(`a ${level} line of text escapes control characters, wherever they stand`, (t) => {
    const hostile = "a\u001b[2J\u009b1m\r\nINFO forged\u0000\u007f";
    for (const isTerminal of [true, false]) {
      const text = written({ format: "text", level: "trace", isTerminal }, (log) => {
        log.child({ bound: hostile })[level]({ value: hostile, nested: { [hostile]: hostile } }, hostile);
        log[level]({ level: hostile, time: hostile, msg: hostile });
      });
      const lines = text.replaceAll(/\u001b\[3\dm(.*?)\u001b\[39m/g, "$1").split("\n");
      t.is(lines.pop(), "");
      t.is(lines.length, 2);
      for (const line of lines) t.true(/^[\x20-\x7e]+$/.test(line), JSON.stringify(line));
      t.true(lines[0]?.includes(` ${level.toUpperCase().padEnd(5)} a\\u{1b}[2J`), lines[0]);
      t.is(text.includes("\u001b["), isTerminal);
    }
  });
}

test("secrets are redacted in text as in JSON, and an error's causes are logged", (t) => {
  const text = written({ format: "text" }, (log) => {
    log.error({ clientSecret: "MARKER", err: new Error("outer", { cause: new Error("inner") }) }, "failed");
  });
  t.false(text.includes("MARKER"));
  t.true(text.includes("clientSecret=[redacted]"));
  t.true(text.includes("    Error: outer\n"));
  t.true(text.includes("    Error: inner\n"));
});
