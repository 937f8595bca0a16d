import { readFileSync } from "node:fs";
import { copyFile, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { openSqliteStore } from "../../src/backend/store/sqlite/open-sqlite-store.ts";
import { issueTokens, twoServices } from "../backend/store/commands.ts";
import { configuration, env, files, writeConfiguration } from "./a-folder.ts";
import { runHere } from "./run-certbound.ts";

test("--check reports that a configuration is valid, and starts and creates nothing", async (t) => {
  const path = await writeConfiguration(t);
  const before = await readdir(dirname(path));
  t.deepEqual(await runHere(["serve", "--config", path, "--check"]), {
    code: 0,
    stdout:
      `The store ${join(dirname(path), "store.db")} does not exist: a start makes a new one.\n` +
      `${path} is valid (services: 1, clients: 1). Nothing was started.\n`,
    stderr: "",
  });
  t.deepEqual(await readdir(dirname(path)), before);
});

test("--check prints warnings beside its verdict", async (t) => {
  const path = await writeConfiguration(
    t,
    configuration.replace("clientId: 1", "clientId: 1\n        clientIdAlias: a"),
  );
  const { code, stderr } = await runHere(["serve", "--config", path, "--check"]);
  t.is(code, 0);
  t.is(
    stderr,
    "certbound: warning: services[0].clients[0].clientIdAlias has no effect: clientIdAliasEnabled is false\n",
  );
});

const example = readFileSync(fileURLToPath(new URL("../../examples/backend.yaml", import.meta.url)), "utf8");

test("the example configuration is valid with the files and variables that it names, and needs every one", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, "backend.yaml");
  await writeFile(path, example);
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  const { code, stdout, stderr } = await runHere(["serve", "--config", path, "--check"]);
  t.is(code, 0);
  // Nobody serves the key set of the example's client, and something may listen on the port that it names.
  const warnings = stderr.split("\n").filter((line) => !line.includes(" listen.port is 8705, where something listens"));
  t.is(warnings.length, 2, stderr);
  t.regex(warnings.join("\n"), /^certbound: warning: services\[0\]\.clients\[3\]\.jwksUri gives no key set now.*\n$/);
  t.true(stdout.endsWith(`\n${path} is valid (services: 1, clients: 6). Nothing was started.\n`));

  for (const name of Object.keys(files)) {
    await rm(join(folder, name));
    t.is((await runHere(["serve", "--config", path, "--check"])).code, 2, name);
    await writeFile(join(folder, name), files[name] ?? "");
  }
  for (const name of Object.keys(env).filter((variable) => variable !== "PATH")) {
    const without = Object.fromEntries(Object.entries(env).filter(([variable]) => variable !== name));
    t.is((await runHere(["serve", "--config", path, "--check"], without)).code, 2, name);
  }
});

test("the example names every member that a configuration can have", async (t) => {
  const named = new Set([...example.matchAll(/([A-Za-z0-9]+):(?= |$)/gm)].map(([, name]) => name));
  const { serviceMembers } = await import("../../src/backend/configuration/service-members.ts");
  const { clientMembers } = await import("../../src/backend/configuration/service-members.ts");
  const known = [...Object.keys(serviceMembers.shape), ...Object.keys(clientMembers.shape)];
  t.deepEqual(
    known.filter((name) => !named.has(name)),
    [],
  );
});

const farAhead = Date.parse("2036-12-01T00:00:00Z");

test("clock reset sets a store's time to the machine's, and prints both", async (t) => {
  const path = await writeConfiguration(t);
  const file = join(dirname(path), "store.db");
  const store = await openSqliteStore({ path: file });
  await store.keepClock({ actedOn: farAhead, settled: true });
  await store.close();
  const before = Date.now();
  const { code, stdout, stderr } = await runHere(["clock", "reset", "--config", path]);
  t.is(stderr, "");
  t.is(code, 0);
  t.regex(
    stdout,
    /^The store's time was 2036-12-01T00:00:00\.000Z; it is now 20.*Z\. Deleted tokens, which were issued later than that: 0\.\n$/,
  );
  const again = await openSqliteStore({ path: file });
  t.teardown(() => again.close());
  const { actedOn, settled } = await again.readClock();
  t.true(settled);
  t.true(actedOn >= before && actedOn < farAhead);
});

test("clock reset refuses while something has the store open, and changes nothing", async (t) => {
  const path = await writeConfiguration(t);
  const store = await openSqliteStore({ path: join(dirname(path), "store.db") });
  t.teardown(() => store.close());
  await store.keepClock({ actedOn: farAhead, settled: false });
  const { code, stdout, stderr } = await runHere(["clock", "reset", "--config", path]);
  t.deepEqual([code, stdout], [2, ""]);
  t.regex(stderr, /cannot be reset: a backend or another program has it open; stop it first\n$/);
  t.is((await store.readClock()).actedOn, farAhead);
});

test("clock reset reports a restored store, since the next start cannot notice it", async (t) => {
  const path = await writeConfiguration(t);
  const file = join(dirname(path), "store.db");
  const store = await openSqliteStore({ path: file });
  await store.keepClock({ actedOn: farAhead, settled: true });
  await store.close();
  await copyFile(file, `${file}.backup`);
  await rename(`${file}.backup`, file);
  const { code, stdout, stderr } = await runHere(["clock", "reset", "--config", path]);
  t.is(code, 0);
  t.regex(stdout, /^The store's time was 2036-12-01/);
  t.regex(stderr, /^certbound: warning: The store was restored, copied or replaced: .* revoke them again/);
  const origins: unknown[] = [];
  const again = await openSqliteStore({ path: file, report: (origin) => origins.push(origin) });
  t.teardown(() => again.close());
  t.deepEqual(origins, []);
});

test("clock reset ends tokens that were issued later only with the option", async (t) => {
  const path = await writeConfiguration(t);
  const file = join(dirname(path), "store.db");
  const store = await openSqliteStore({ path: file });
  await store.run(twoServices());
  await store.run({ ...issueTokens(), createdAt: farAhead });
  await store.close();
  const refused = await runHere(["clock", "reset", "--config", path]);
  t.deepEqual([refused.code, refused.stdout], [2, ""]);
  t.regex(refused.stderr, /: \d access and refresh tokens were issued later than .* add --end-tokens\n$/);
  const { code, stdout } = await runHere(["clock", "reset", "--config", path, "--end-tokens"]);
  t.is(code, 0);
  t.regex(stdout, /later than that: [1-9]\.\n$/);
});

test("clock reset creates no store", async (t) => {
  const path = await writeConfiguration(t);
  const { code, stderr } = await runHere(["clock", "reset", "--config", path]);
  t.is(code, 2);
  t.regex(stderr, /there is no such file\n$/);
});
