import { readdir, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { dirname, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { env, writeConfiguration } from "./a-folder.ts";
import { runHere, startCertbound, type Certbound } from "./run-certbound.ts";
import { callApi, isActive, secretClients, tokenOf } from "./secret-clients.ts";

const urlOf = async (certbound: Certbound): Promise<string> =>
  (await certbound.line(({ msg }) => msg === "listening"))["listening"] as string;

const serve = (path: string, ...args: string[]) => ["serve", "--config", path, ...args];

/** A store that has tokens of client 1, behind a backend that still runs. */
async function startWithTokens(t: ExecutionContext, count: number) {
  const path = await writeConfiguration(t, secretClients({ clients: [1, 2] }));
  const certbound = startCertbound(t, serve(path));
  const url = await urlOf(certbound);
  const tokens: string[] = [];
  for (let index = 0; index < count; index++) tokens.push(await tokenOf(url, 1));
  return { path, certbound, url, tokens, store: join(dirname(path), "store.db") };
}

const refusal = (count: string): string =>
  `certbound: configuration: services leave out client 1004/1 "client-1", and ${count} would end for good: put it back, revoke its tokens first (auth/token/revoke), or start with --allow-removal 1004/1\n`;

test("a start that would end live tokens is refused and changes nothing; --check predicts it", async (t) => {
  const { path, certbound, url, tokens, store } = await startWithTokens(t, 3);
  await writeFile(path, secretClients({ clients: [2, 3] }));
  const plan = '  adds client 1004/3 "client-3"\n  removes client 1004/1 "client-1" and ends 3 live tokens for good\n';
  const { code, stderr } = await runHere(serve(path));
  t.deepEqual({ code, stderr }, { code: 2, stderr: refusal("3 live tokens") });
  const checked = await runHere(serve(path, "--check"));
  t.deepEqual(checked, {
    code: 2,
    stdout: `A start changes the store ${store}:\n${plan}`,
    stderr: refusal("3 live tokens"),
  });
  t.is((await runHere(serve(path, "--check", "--allow-removal", "1004/2"))).code, 2, "another one is allowed");
  const allowed = await runHere(serve(path, "--check", "--allow-removal", "1004/1"));
  t.is(allowed.code, 0);
  t.is(allowed.stderr, "");
  t.true(allowed.stdout.endsWith(`${path} is valid (services: 1, clients: 2). Nothing was started.\n`));
  for (const token of tokens) t.true(await isActive(url, token));
  for (const written of [checked, allowed]) t.false(tokens.some((token) => JSON.stringify(written).includes(token)));

  certbound.kill("SIGTERM");
  t.is((await certbound.ended()).code, 0);
  const before = await readdir(dirname(path));
  t.is((await runHere(serve(path, "--check"))).stderr, refusal("3 live tokens"), "also when nothing runs");
  t.deepEqual(await readdir(dirname(path)), before, "a check leaves nothing beside the store");
});

test("--allow-removal removes the named client, the log says so, and putting it back revives no token", async (t) => {
  const { path, certbound, tokens } = await startWithTokens(t, 1);
  certbound.kill("SIGTERM");
  await certbound.ended();
  await writeFile(path, secretClients({ clients: [2] }));
  const second = startCertbound(t, serve(path, "--allow-removal", "1004/1"));
  const url = await urlOf(second);
  t.false(await isActive(url, tokens[0] ?? ""));
  const told = await second.line(({ msg }) => msg === "the configuration has changed");
  t.is(told["level"], "warn");
  t.deepEqual(told["changes"], ['removes client 1004/1 "client-1" and ends 1 live token for good']);
  second.kill("SIGTERM");
  await second.ended();
  await writeFile(path, secretClients({ clients: [1, 2] }));
  const third = startCertbound(t, serve(path));
  t.false(await isActive(await urlOf(third), tokens[0] ?? ""));
  third.kill("SIGTERM");
  t.is((await third.ended()).code, 0);
});

test("a client whose tokens were revoked first is removed without being named", async (t) => {
  const { path, certbound, url } = await startWithTokens(t, 2);
  await callApi(url, "/auth/token/revoke", { clientIdentifier: "1" });
  await writeFile(path, secretClients({ clients: [2] }));
  certbound.kill("SIGTERM");
  await certbound.ended();
  const second = startCertbound(t, serve(path));
  t.is(await tokenOf(await urlOf(second), 1), "A244306");
});

test("a service that is left out, and an empty list of them, are refused too", async (t) => {
  const { path } = await startWithTokens(t, 1);
  const text = secretClients({ clients: [1, 2] });
  const slips = [
    [text.replace("apiKey: 1004", "apiKey: 1005"), /leave out service 1004 "main", and 1 live token would end/],
    [`${text.slice(0, text.indexOf("services:"))}services: []\n`, /leave out service 1004 "main"/],
    [secretClients({ clients: [] }), /leave out client 1004\/1/],
    [text.replace("clientId: 1,", "clientId: 11,"), /leave out client 1004\/1/],
  ] as const;
  for (const [slip, message] of slips) {
    await writeFile(path, slip);
    for (const args of [serve(path), serve(path, "--check")]) {
      const { code, stderr } = await runHere(args);
      t.is(code, 2);
      t.regex(stderr, message);
    }
  }
});

test("--check compares by names of members and shows no secret; the wrong secret key is refused", async (t) => {
  const { path, certbound } = await startWithTokens(t, 0);
  await writeFile(join(dirname(path), "client-c.secret"), "another-secret-of-client-c-that-is-long\n");
  const { code, stdout } = await runHere(serve(path, "--check"));
  t.is(code, 0);
  t.regex(
    stdout,
    /changes client 1004\/1 "client-1": clientSecret\n {2}changes client 1004\/2 "client-2": clientSecret\n/,
  );
  t.notRegex(stdout, /another-secret/);
  const other = { ...env, CERTBOUND_SECRET_KEY: "08".repeat(32) };
  const wrong = await runHere(serve(path, "--check"), other);
  t.is(wrong.code, 2);
  t.regex(wrong.stderr, /secretKey is not the key that the store was written with/);
  t.is((await runHere(serve(path, "--check", "--new-secret-key"), other)).code, 0);
  certbound.kill("SIGTERM");
  await certbound.ended();
});

test("--check reads a store of an older version and says that tokens are counted at the start", async (t) => {
  const { path, certbound, store } = await startWithTokens(t, 1);
  certbound.kill("SIGTERM");
  await certbound.ended();
  const db = new DatabaseSync(store);
  db.exec("DELETE FROM migration WHERE number = (SELECT max(number) FROM migration)");
  db.close();
  await writeFile(path, secretClients({ clients: [2] }));
  const { code, stdout } = await runHere(serve(path, "--check"));
  t.is(code, 0);
  t.regex(stdout, /removes client 1004\/1 "client-1" and ends its live tokens \(not counted\) for good\n/);
  t.regex(stdout, /An older version wrote the store/);
});

test("a start on a new store warns that it knows no token; a later one does not", async (t) => {
  const path = await writeConfiguration(t, secretClients({ clients: [1] }));
  for (const isNew of [true, false]) {
    const certbound = startCertbound(t, serve(path));
    await urlOf(certbound);
    certbound.kill("SIGTERM");
    t.is((await certbound.ended()).stdout.includes("the store is new: it knows no token"), isNew);
  }
});

test("--allow-removal refuses a value that is no id of a service or client", async (t) => {
  const path = await writeConfiguration(t);
  for (const wrong of [
    "",
    "all",
    "1004/",
    "/1",
    "1004/1/2",
    "-1",
    "0",
    "01",
    "1004 ",
    "1e3",
    "9".repeat(16),
    "1004,1005",
  ]) {
    const { code, stderr } = await runHere(serve(path, "--check", "--allow-removal", wrong));
    t.is(code, 2, wrong);
    t.regex(stderr, /--allow-removal/);
  }
});
