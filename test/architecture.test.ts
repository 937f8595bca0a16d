import { readFile } from "node:fs/promises";
import test from "ava";
import { ambientReads, forbiddenImports, importCycles, loadedBy, misnamedOrTooLong, roomOf } from "./house-rules.ts";
import { compositionRoots, entryLoads, house } from "./house.ts";
import { readSource, readSourceTree } from "./support/source-tree.ts";

const root = new URL("../", import.meta.url);
const files = await readSourceTree(new URL("src/", root));
const manifest = JSON.parse(await readFile(new URL("package.json", root), "utf8")) as {
  exports: Record<string, string | { "certbound-source": string }>;
};
const entries = Object.values(manifest.exports)
  .filter((entry) => typeof entry === "object")
  .map((entry) => entry["certbound-source"].replace(/^\.\/src\//, ""));

test("the sources were found", (t) => {
  t.true(files.length > 40);
  t.true(files.some(({ imports }) => imports.length > 0));
});

test("arrows between rooms are those of the house", (t) => {
  t.deepEqual(forbiddenImports(house, files), []);
});

test("no chain of imports comes back to its beginning", (t) => {
  t.deepEqual(importCycles(files), []);
});

test("names say what a file contains, index.ts is an entry, and every file has one idea", (t) => {
  t.deepEqual(misnamedOrTooLong(files, entries), []);
});

test("environment, clock and randomness are read in the composition roots only", (t) => {
  t.deepEqual(ambientReads(files, compositionRoots), []);
});

for (const [entry, allowed] of Object.entries(entryLoads)) {
  test(`${entry} loads no more than it should`, (t) => {
    t.true(entries.includes(entry));
    const loaded = loadedBy(files, entry);
    t.deepEqual(
      loaded.ours.filter((path) => !allowed.ours.includes(roomOf(house, path) ?? "")),
      [],
    );
    t.deepEqual(
      loaded.packages.filter((name) => !allowed.packages.includes(name)),
      [],
    );
  });
}

// The rules themselves: each must find what it forbids, or the tests above say nothing.

const engine = "backend/engine/engine.ts";

for (const [path, text, found] of [
  ["oauth/scope.ts", 'import { z } from "zod";', "zod"],
  ["oauth/scope.ts", 'import type { Room } from "../x509/read-certificate.ts";', "x509/read-certificate.ts as a type"],
  ["oauth/scope.ts", 'import { readFile } from "node:fs/promises";', "node:fs/promises"],
  ["x509/subject.ts", 'import * as x509 from "@peculiar/x509";', "@peculiar/x509"],
  ["resource-server/index.ts", 'export * from "../backend/index.ts";', "backend/index.ts"],
  ["resource-server/index.ts", 'import { authToken } from "../contract/auth-token.ts";', "contract/auth-token.ts"],
  ["resource-server/index.ts", 'import { verify } from "../jose/verify.ts";', "jose/verify.ts"],
  ["resource-server/index.ts", 'import { operations } from "../contract/operations.ts";', "contract/operations.ts"],
  ["resource-server/index.ts", 'import { Counter } from "prom-client";', "prom-client"],
  ["resource-server/observers/prometheus.ts", 'import "@opentelemetry/api";', "@opentelemetry/api"],
  ["resource-server/observers/opentelemetry.ts", 'import "prom-client";', "prom-client"],
  ["resource-server/middleware/koa.ts", 'import Koa from "koa";', "koa"],
  ["resource-server/middleware/koa.ts", 'import { type Context } from "koa";', "koa"],
  ["api-client/call.ts", 'import { operations } from "../contract/operations.ts";', "contract/operations.ts"],
  [engine, 'import { ApiError } from "../../contract/api-error.ts";', "contract/api-error.ts"],
  [engine, 'import { open } from "../store/sqlite/open.ts";', "backend/store/sqlite/open.ts"],
  [engine, 'const sqlite = await import("node:sqlite");', "node:sqlite lazily"],
  [engine, "const named = await import(name);", "(computed) lazily"],
  ["backend/http/serve.ts", 'import type { Store } from "../store/store.ts";', "backend/store/store.ts as a type"],
  ["backend/http/serve.ts", 'let engine: import("../engine/engine.ts").Engine;', "backend/engine/engine.ts as a type"],
  ["backend/store/store.ts", 'export { DatabaseSync } from "node:sqlite";', "node:sqlite"],
] as const) {
  test(`the rule finds in ${path}: ${text}`, (t) => {
    t.deepEqual(forbiddenImports(house, [readSource(path, text)]), [`${path} imports ${found}`]);
  });
}

for (const [path, text] of [
  ["resource-server/index.ts", 'const { verify } = await import("../jose/verify.ts");'],
  ["resource-server/middleware/koa.ts", 'import type { Middleware } from "koa";'],
  [engine, 'import type { Store } from "../store/store.ts";'],
  ["backend/http/serve.ts", 'import Router from "@koa/router";'],
] as const) {
  test(`the rule allows in ${path}: ${text}`, (t) => {
    t.deepEqual(forbiddenImports(house, [readSource(path, text)]), []);
  });
}

test("the rule finds a file that is in no room", (t) => {
  const tree = [readSource("plugins/a.ts", ""), readSource("backend/new/a.ts", ""), readSource("backend/a.ts", "")];
  t.deepEqual(forbiddenImports(house, tree), ["plugins/a.ts is in no room", "backend/new/a.ts is in no room"]);
});

test("the rule finds a cycle through a type import", (t) => {
  const cycle = [
    readSource("a/one.ts", 'import { two } from "../b/two.ts";'),
    readSource("b/two.ts", 'import { three } from "./three.ts";'),
    readSource("b/three.ts", 'export type { One } from "../a/one.ts";'),
  ];
  t.deepEqual(importCycles(cycle), ["a/one.ts → b/two.ts → b/three.ts → a/one.ts"]);
  t.deepEqual(importCycles(cycle.slice(0, 2)), []);
});

test("the rule finds what an entry loads through others, but neither types nor lazy imports", (t) => {
  const tree = [
    readSource("index.ts", 'export * from "./one.ts"; import type Koa from "koa"; import("jose"); import "node:tls";'),
    readSource("one.ts", 'export { two } from "./two.ts";'),
    readSource("two.ts", 'import pg from "pg/lib"; import type { three } from "./three.ts";'),
  ];
  t.deepEqual(loadedBy(tree, "index.ts"), { ours: ["index.ts", "one.ts", "two.ts"], packages: ["pg"] });
});

test("the rule finds drawers, other cases, an index.ts that is no entry, and 301 lines", (t) => {
  const tree = [
    readSource("oauth/helpers/scope.ts", ""),
    readSource("oauth/types.ts", ""),
    readSource("oauth/accessToken.ts", ""),
    readSource("oauth/index.ts", ""),
    readSource("backend/index.ts", "\n".repeat(300)),
    readSource("oauth/scope.ts", "\n".repeat(301)),
  ];
  t.deepEqual(misnamedOrTooLong(tree, ["backend/index.ts"]), [
    'oauth/helpers/scope.ts is in the drawer "helpers"',
    'oauth/types.ts is in the drawer "types"',
    'oauth/accessToken.ts has "accessToken", which is not kebab-case',
    "oauth/index.ts is no entry of the package",
    "oauth/scope.ts has 301 lines",
  ]);
});

for (const [text, found] of [
  ["const port = process.env.PORT;", "process.env"],
  ['import { env } from "node:process";', "env"],
  ["const now = Date.now;", "Date.now"],
  ["const now = new Date().getTime();", "new Date()"],
  ["const text = Date();", "Date()"],
  ["const id = Math.random();", "Math.random"],
  ["const start = performance.now();", "performance.now"],
  ['import { randomBytes as draw } from "node:crypto";', "randomBytes"],
  ["const id = globalThis.crypto.randomUUID();", "globalThis.crypto.randomUUID"],
  ["const id = crypto.getRandomValues(octets);", "crypto.getRandomValues"],
] as const) {
  test(`the rule finds in a pure file: ${text}`, (t) => {
    t.deepEqual(ambientReads([readSource("oauth/a.ts", text)], ["cli/"]), [`oauth/a.ts reads ${found}`]);
    t.deepEqual(ambientReads([readSource("cli/a.ts", text)], ["cli/"]), []);
  });
}

test("the rule leaves alone a date that was handed in, and names in comments and texts", (t) => {
  const text = '// Date.now()\nconst at = new Date(now); const said = "process.env"; clock(); Date.parse(text);';
  t.deepEqual(ambientReads([readSource("oauth/a.ts", text)], []), []);
});
