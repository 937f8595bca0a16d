import { readdir, readFile } from "node:fs/promises";
import test from "ava";
import { httpSentences } from "../../../src/backend/result-codes/api-caller.ts";
import { engineSentences } from "../../../src/backend/result-codes/result-codes.ts";

const root = new URL("../../../", import.meta.url);

/** The text of every TypeScript file below a folder of the repository. */
async function textBelow(folder: string): Promise<string> {
  const url = new URL(folder, root);
  const names = (await readdir(url, { recursive: true })).filter((name) => name.endsWith(".ts"));
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, url), "utf8")));
  return texts.join("\n");
}

/** Result codes where they are written as a whole string or as a key of a table, not in a title or a comment. */
function codesIn(text: string): Set<string> {
  return new Set([...text.matchAll(/"(A\d{6})"|^\s*(A\d{6}):/gm)].map(([, quoted, key]) => quoted ?? key ?? ""));
}

const codes = Object.keys(engineSentences);
// Those of introspection stand in the table that the library reads its answers by.
const shared = await readFile(new URL("src/contract/introspection-refusals.ts", root), "utf8");
const answered = codesIn(`${await textBelow("src/backend/engine/")}\n${shared}`);
const asserted = codesIn((await Promise.all([textBelow("test/backend/engine/"), textBelow("test/flows/")])).join("\n"));

test("the codes were found", (t) => {
  t.true(codes.length > 60);
  t.true(answered.size > 60);
});

test("every result code is one that the engine can answer with, and it answers with no other", (t) => {
  t.deepEqual([...answered].sort(), [...codes].sort());
});

test("every result code is asserted by a test of the engine or of a flow", (t) => {
  t.deepEqual(
    codes.filter((code) => !asserted.has(code)),
    [],
  );
});

test("every error of the HTTP layer and the contract has its row in the table of result codes", async (t) => {
  const thrown = await Promise.all([textBelow("src/backend/http/"), textBelow("src/contract/")]);
  const errors = [...thrown.join("\n").matchAll(/ApiError\(\s*\d{3},\s*"(A\d{6})"/g)].map(([, code]) => code);
  t.deepEqual([...new Set(errors)].sort(), Object.keys(httpSentences).sort());
});
