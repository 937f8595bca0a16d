import { readFile } from "node:fs/promises";
import test from "ava";
import { levelOfResult } from "../../src/backend/result-codes/result-codes.ts";
import { advice, sentences } from "../../src/backend/result-codes/result-codes.ts";
import { resultCodesDocument } from "../../tools/result-codes-document.ts";

const file = new URL("../../docs/result-codes.md", import.meta.url);
const text = await readFile(file, "utf8");
const rows = text
  .split("\n")
  .filter((line) => line.startsWith("| `A"))
  .map((line) =>
    line
      .slice(1, -1)
      .split(" | ")
      .map((cell) => cell.trim()),
  );

test("docs/result-codes.md is what `npm run result-codes` writes", async (t) => {
  t.is(text, await resultCodesDocument(file));
});

test("every result code has one row with its sentence, an operation, a level and what to do", (t) => {
  t.deepEqual(
    rows.map(([code]) => code?.replaceAll("`", "")),
    Object.keys(sentences).sort(),
  );
  for (const [code = "", sentence, where = "", level, todo = ""] of rows) {
    const name = code.replaceAll("`", "") as keyof typeof sentences;
    t.is(sentence, sentences[name], code);
    t.regex(where, /^(?:every operation|`[a-z/]+`(?:, `[a-z/]+`)*)$/, code);
    t.is(level, levelOfResult(name), code);
    t.is(todo.replaceAll("\\|", "|"), advice[name].todo, code);
    t.regex(todo, /^[A-Z].+\.$/, code);
  }
});

test("a code is at the operations that can answer it", (t) => {
  const where = new Map(rows.map(([code, , operation]) => [code, operation]));
  t.is(where.get("`A050305`"), "`auth/token`");
  t.is(where.get("`A157339`"), "`auth/token`, `auth/revocation`");
  t.is(where.get("`A088302`"), "`auth/userinfo`");
  t.is(where.get("`A001202`"), "every operation");
});

test("a success is no warning, and a client that is not authenticated is one", (t) => {
  for (const [code, { kind, todo }] of Object.entries(advice)) {
    t.is(kind === "done", todo === "Nothing.", code);
    // The API's own convention: 001 and its like are successes.
    if (kind === "done") t.regex(code, /^A(?:\d{3}0\d{2}|145001)$/);
    if (/^A157|^A0653(?:04|05|07)|^A0533(?:12|13)/.test(code)) t.is(levelOfResult(code), "warn", code);
  }
});
