import test from "ava";
import { createLog, type LogOptions } from "../../../src/backend/http/create-log.ts";

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

test("secrets are redacted in text as in JSON, and the causes of an error are told", (t) => {
  const text = written({ format: "text" }, (log) => {
    log.error({ clientSecret: "MARKER", err: new Error("outer", { cause: new Error("inner") }) }, "failed");
  });
  t.false(text.includes("MARKER"));
  t.true(text.includes("clientSecret=[redacted]"));
  t.true(text.includes("    Error: outer\n"));
  t.true(text.includes("    Error: inner\n"));
});
