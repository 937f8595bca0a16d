import { once } from "node:events";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo, type ListenOptions } from "node:net";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test, { type ExecutionContext } from "ava";
import { openBackend, type Backend } from "../../src/backend/backend.ts";
import { readConfiguration } from "../../src/backend/configuration/read-configuration.ts";
import { createLog } from "../../src/backend/http/create-log.ts";
import { startJwksServer } from "../support/jwks-server.ts";
import { createAuthority } from "../support/certificates.ts";
import { configuration, env, writeConfiguration } from "./a-folder.ts";
import { runHere } from "./run-certbound.ts";

/** What is replaced must be there, or the test tests nothing. */
function changed(from: string, by: string): string {
  if (!configuration.includes(from)) throw new Error(`not in the configuration: ${from}`);
  return configuration.replace(from, by);
}

const listen = "{ host: 127.0.0.1, port: 0 }";

const check = (path: string, ...more: readonly string[]) => runHere(["serve", "--config", path, "--check", ...more]);

/** Every file of the folder, with its content and the instant of its last change. */
async function contentsOf(path: string): Promise<Record<string, string>> {
  const folder = dirname(path);
  const contents: Record<string, string> = {};
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    contents[name] = `${(await stat(file)).mtimeMs} ${(await readFile(file)).toString("base64")}`;
  }
  return contents;
}

async function open(t: ExecutionContext, path: string): Promise<Backend> {
  const backend = await openBackend({
    configuration: await readConfiguration({ path, env }),
    log: createLog({ level: "silent", stream: process.stdout }),
  });
  t.teardown(() => backend.close());
  return backend;
}

async function occupy(t: ExecutionContext, where: ListenOptions): Promise<number> {
  const other = createServer().listen(where);
  await once(other, "listening");
  t.teardown(() => other.close());
  return (other.address() as Partial<AddressInfo>).port ?? 0;
}

const refused = (path: string, message: string) => ({
  code: 2,
  stdout: "",
  stderr: `certbound: ${path}: ${message}\n`,
});

test("--check refuses a store whose folder is missing, and creates none", async (t) => {
  const path = await writeConfiguration(t, changed("store.db", "nowhere/store.db"));
  const before = await contentsOf(path);
  const folder = join(dirname(path), "nowhere");
  t.deepEqual(await check(path), refused(path, `store.sqlite has no folder: ${folder} does not exist; make it first`));
  t.deepEqual(await contentsOf(path), before);
});

for (const [what, make, message] of [
  [
    "not a database",
    (file: string) => writeFile(file, "some text that is long enough".repeat(100)),
    "it is not a database",
  ],
  [
    "another program's",
    (file: string) => {
      using db = new DatabaseSync(file);
      db.exec("CREATE TABLE theirs (id INTEGER)");
    },
    "it is another program's database",
  ],
] as const) {
  test(`--check refuses a store that is ${what}, and changes nothing`, async (t) => {
    const path = await writeConfiguration(t);
    const store = join(dirname(path), "store.db");
    await make(store);
    const before = await contentsOf(path);
    const expected = { code: 2, stdout: "", stderr: `certbound: the store ${store} cannot be read: ${message}\n` };
    t.deepEqual(await check(path), expected);
    t.deepEqual(await contentsOf(path), before);
  });
}

test("--check refuses a store of a newer version, and one under another secret key, and changes nothing", async (t) => {
  const path = await writeConfiguration(t);
  await (await open(t, path)).close();
  const before = await contentsOf(path);
  t.like(await check(path), { code: 0, stderr: "" });
  const other = { ...env, CERTBOUND_SECRET_KEY: Buffer.alloc(32, 99).toString("base64") };
  t.deepEqual(
    await runHere(["serve", "--config", path, "--check"], other),
    refused(
      "configuration",
      "secretKey is not the key that the store was written with; to replace it, stop every backend on the store and start one with --new-secret-key",
    ),
  );
  t.is((await runHere(["serve", "--config", path, "--check", "--new-secret-key"], other)).code, 0);
  t.deepEqual(await contentsOf(path), before);

  using db = new DatabaseSync(join(dirname(path), "store.db"));
  db.exec("PRAGMA journal_mode = DELETE; INSERT INTO migration (number) VALUES (999)");
  db.close();
  const { code, stderr } = await check(path);
  t.is(code, 2);
  t.regex(stderr, /^certbound: the store .*store\.db cannot be read: it was written by a newer version .*\n$/);
});

test("--check beside a backend that runs on the same store disturbs nothing and sees its secrets", async (t) => {
  const path = await writeConfiguration(t);
  const running = await open(t, path);
  const other = { ...env, CERTBOUND_SECRET_KEY: Buffer.alloc(32, 99).toString("base64") };
  t.like(await check(path), { code: 0, stderr: "" });
  t.is((await runHere(["serve", "--config", path, "--check"], other)).code, 2);
  const request = { parameters: "grant_type=client_credentials&client_id=9999" };
  t.is((await running.authToken(request)).resultCode, "A244306");
});

test("--check warns that something listens on the port already, and leaves it alone", async (t) => {
  const port = await occupy(t, { port: 0, host: "127.0.0.1" });
  const path = await writeConfiguration(t, changed("port: 0", `port: ${port}`));
  t.like(await check(path), {
    code: 0,
    stderr: `certbound: warning: listen.port is ${port}, where something listens already: fine if it is this backend; stop any other program before a start\n`,
  });
});

test("--check releases the port that it has tried", async (t) => {
  const port = await occupy(t, { port: 0, host: "127.0.0.2" });
  const path = await writeConfiguration(t, changed("port: 0", `port: ${port}`));
  t.like(await check(path), { code: 0, stderr: "" });
  t.is(await occupy(t, { port, host: "127.0.0.1" }), port);
});

test("--check warns of a unix socket that something listens on, and neither makes nor removes one", async (t) => {
  const path = await writeConfiguration(t, changed(listen, "{ unix: certbound.sock }"));
  const socket = join(dirname(path), "certbound.sock");
  t.like(await check(path), { code: 0, stderr: "" });
  t.false((await readdir(dirname(path))).includes("certbound.sock"));
  await occupy(t, { path: socket });
  t.like(await check(path), {
    code: 0,
    stderr: `certbound: warning: listen.unix is ${socket}, where something listens already: fine if it is this backend; stop any other program before a start\n`,
  });
  t.true((await readdir(dirname(path))).includes("certbound.sock"));
});

test("--check refuses an address that cannot be had, as a start does", async (t) => {
  const long = `${"long".repeat(50)}.sock`;
  const rows: readonly [listen: string, message: (folder: string) => string][] = [
    [
      "{ host: 192.0.2.1, port: 8705, behindTls: true }",
      () => "cannot listen on 192.0.2.1:8705: this machine has no such address (EADDRNOTAVAIL)",
    ],
    [
      "{ unix: nowhere/certbound.sock }",
      (folder) =>
        `${folder}/backend.yaml: listen.unix is in a folder that does not exist, or that this user may not write to: ${folder}/nowhere`,
    ],
    [
      "{ unix: client-ca.pem }",
      (folder) => `${folder}/backend.yaml: listen.unix is another file: ${folder}/client-ca.pem`,
    ],
    [
      `{ unix: ${long} }`,
      (folder) =>
        `${folder}/backend.yaml: listen.unix is too long for a unix socket: ${folder}/${long} has more than 107 octets`,
    ],
  ];
  for (const [by, message] of rows) {
    const path = await writeConfiguration(t, changed(listen, by));
    t.deepEqual(await check(path), { code: 2, stdout: "", stderr: `certbound: ${message(dirname(path))}\n` });
    t.is((await runHere(["serve", "--config", path])).code, 2, "as a start");
  }
});

test("--check warns of a certificate that has expired", async (t) => {
  const path = await writeConfiguration(t);
  const notAfter = new Date("2021-01-01T00:00:00Z");
  await writeFile(
    join(dirname(path), "client-ca.pem"),
    createAuthority({ subject: "CN=Test CA", notAfter }).certificate.pem,
  );
  t.like(await check(path), {
    code: 0,
    stderr:
      "certbound: warning: services[0].trustedRootCertificates[0] has expired (2021-01-01T00:00:00Z): no client certificate is accepted whose path ends there\n",
  });
});

test("--check asks the key sets of clients, and warns of one that cannot be had", async (t) => {
  const jwks = await startJwksServer(t, { keys: [] });
  const subject = "tlsClientAuthSubjectDn: CN=client-a";
  const text = changed(subject, `jwksUri: ${jwks.url}`).replace("TLS_CLIENT_AUTH", "PRIVATE_KEY_JWT");
  const path = await writeConfiguration(t, text);
  const at = "certbound: warning: services[0].clients[0].jwksUri";
  t.like(await check(path), { code: 0, stderr: `${at} has no key for signatures by RS, PS, ES or EdDSA\n` });
  t.is(jwks.asked(), 1);
  jwks.close();
  t.like(await check(path), {
    code: 0,
    stderr: `${at} gives no key set now, so the client cannot authenticate: A client's key set could not be had: it cannot be reached. (ECONNREFUSED)\n`,
  });
});

test("--check warns of a subject that has its most general part first, with the right spelling", async (t) => {
  const path = await writeConfiguration(t, changed("CN=client-a", "C = ES, O = Acme, CN = client-a"));
  const { code, stderr } = await check(path);
  t.is(code, 0);
  t.is(
    stderr,
    'certbound: warning: services[0].clients[0].tlsClientAuthSubjectDn has its most general part first, as openssl x509 -subject prints it; RFC 4514 writes the most specific first, and the reverse never matches: write "CN=client-a,O=Acme,C=ES", unless openssl x509 -in client.pem -noout -subject -nameopt RFC2253 prints it as it is here\n',
  );
});
