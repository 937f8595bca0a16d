import type { Answer, Call } from "./request.ts";

/** Prints the story on the terminal and counts the steps with an unexpected result. */
export interface Narrator {
  chapter(title: string): void;
  say(text: string): void;
  exchange(call: Call, answer: Answer): void;
  /** Prints the expectation with a tick or a cross. */
  expect(what: string, holds: boolean): void;
  readonly failures: number;
}

/** Any text that looks like a token is cut to six characters: a demo leaks none either. */
const secretText = /[A-Za-z0-9_-]{43,}/g;

/** `keep`: values that may be shown whole, such as thumbprints. */
export function createNarrator(write: (line: string) => void, keep: ReadonlySet<string>): Narrator {
  let chapters = 0;
  let failures = 0;
  const shorten = (text: string): string =>
    text.replace(secretText, (match) => (keep.has(match) ? match : `${match.slice(0, 6)}…`));
  return {
    chapter(title) {
      write(`\n${++chapters}. ${title}`);
    },
    say(text) {
      write(`   ${text}`);
    },
    exchange(call, answer) {
      const as = call.as === undefined ? "no certificate" : `certificate: ${call.as.name}`;
      write(`   → ${call.method} ${shorten(call.url)}  [${call.url.startsWith("https") ? as : "API caller"}]`);
      if (call.headers?.["authorization"]?.startsWith("Bearer ") === true && call.method === "GET") {
        write(`     Authorization: ${shorten(call.headers["authorization"])}`);
      }
      if (call.body !== undefined) write(`     ${shorten(abbreviate(call.body))}`);
      write(`   ← ${answer.status}${answer.body === "" ? "" : ` ${shorten(abbreviate(answer.body))}`}`);
      if (answer.location !== undefined) write(`     Location: ${shorten(answer.location)}`);
      if (answer.challenge !== undefined) write(`     WWW-Authenticate: ${answer.challenge}`);
    },
    expect(what, holds) {
      if (!holds) failures++;
      write(`   ${holds ? "✓" : "✗"} ${what}`);
    },
    get failures() {
      return failures;
    },
  };
}

/** Hides what a reader of the demo does not need (PEM text, a page's markup and its sealed field) and the password. */
function abbreviate(body: string): string {
  return body
    .replace(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----(\\n|\n)?/g, "<certificate as PEM>")
    .replace(/^<!doctype html>.*<title>([^<]*)<.*$/s, '<the page "$1">')
    .replace(/\b(interaction|password)=[^&]*/g, "$1=…");
}
