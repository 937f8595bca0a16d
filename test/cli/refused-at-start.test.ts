import { access, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import test from "ava";
import { openBackend } from "../../src/backend/backend.ts";
import { readConfiguration } from "../../src/backend/configuration/read-configuration.ts";
import { createLog } from "../../src/backend/http/create-log.ts";
import { configuration, env, writeConfiguration } from "./a-folder.ts";
import { runHere } from "./run-certbound.ts";

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** What is replaced must be there, or the test tests nothing. */
function changed(from: string, by: string): string {
  if (!configuration.includes(from)) throw new Error(`not in the configuration: ${from}`);
  return configuration.replace(from, by);
}

const subject = "tlsClientAuthSubjectDn: CN=client-a";
const exactlyOne =
  "services[0].clients[0] needs exactly one of tlsClientAuthSubjectDn, tlsClientAuthSanDns, tlsClientAuthSanUri, tlsClientAuthSanIp, tlsClientAuthSanEmail with TLS_CLIENT_AUTH: ";

const refused: Readonly<Record<string, readonly [text: string, message: string]>> = {
  "an unknown member": [changed("apiKey:", "apiKy: 1\n    apiKey:"), "services[0].apiKy is not a known member"],
  "two clients with one id": [
    `${configuration}      - { clientId: 1, clientType: PUBLIC, tokenAuthMethod: NONE }\n`,
    "services[0].clients[1].clientId is the same as that of services[0].clients[0]",
  ],
  "tls_client_auth without a subject member": [changed(subject, ""), `${exactlyOne}none is given`],
  "tls_client_auth with two subject members": [
    changed(subject, `${subject}\n        tlsClientAuthSanDns: client-a.example.org`),
    `${exactlyOne}given are tlsClientAuthSubjectDn and tlsClientAuthSanDns`,
  ],
  "a malformed DN": [
    changed("CN=client-a", "client-a"),
    "services[0].clients[0].tlsClientAuthSubjectDn is not a distinguished name (RFC 4514): an attribute is not of the form type=value, at character 1; write it as openssl x509 -in client.pem -noout -subject -nameopt RFC2253 prints it after subject=, for example CN=client-a,O=Example",
  ],
  "missing anchors": [
    changed("    trustedRootCertificates: [{ file: client-ca.pem }]\n", ""),
    "services[0].clients[0].tokenAuthMethod is TLS_CLIENT_AUTH: that needs trustedRootCertificates, the client's own or the service's (the system's are never used)",
  ],
  "chains that nobody validates": [
    changed("apiKey:", "mutualTlsValidatePkiCertChain: false\n    apiKey:"),
    "services[0].mutualTlsValidatePkiCertChain is false: then nobody checks client certificates, unless frontEndValidatesPkiCertChain: true says that the front end does",
  ],
  "a public listen address without TLS": [
    changed("127.0.0.1", "0.0.0.0"),
    "listen.host is not a loopback address: give listen.tls, or say listen.behindTls: true when what is in front of it ends TLS",
  ],
  "a secret in the file": [
    changed("{ env: CERTBOUND_API_SECRET }", "the-api-secret"),
    "services[0].apiSecret must be { env: NAME } or { file: PATH }, never the secret itself",
  ],
};

for (const [what, [text, message]] of Object.entries(refused)) {
  test(`${what}: the start and --check refuse it with exit code 2 and one message; nothing is half-started`, async (t) => {
    const path = await writeConfiguration(t, text);
    const expected = { code: 2, stdout: "", stderr: `certbound: ${path}: ${message}\n` };
    t.deepEqual(await runHere(["serve", "--config", path]), expected);
    t.deepEqual(await runHere(["serve", "--config", path, "--check"]), expected);
    t.false(await exists(join(dirname(path), "store.db")));
  });
}

test("8705-2.1.2-a: with none, two, five or an empty subject member nothing is stored", async (t) => {
  const five = `${subject}
        tlsClientAuthSanDns: client-a.example.org
        tlsClientAuthSanUri: https://client-a.example.org/
        tlsClientAuthSanIp: 192.0.2.1
        tlsClientAuthSanEmail: a@example.org`;
  for (const by of ["", `${subject}\n        tlsClientAuthSanIp: 192.0.2.1`, five, 'tlsClientAuthSubjectDn: ""']) {
    const path = await writeConfiguration(t, changed(subject, by));
    const { code, stderr } = await runHere(["serve", "--config", path]);
    t.is(code, 2);
    t.regex(stderr, /tlsClientAuth/);
    t.false(await exists(join(dirname(path), "store.db")));
  }
});

test("openssl missing while a client needs it is refused at start and by --check", async (t) => {
  const path = await writeConfiguration(t);
  const without = { ...env, PATH: join(dirname(path), "nothing") };
  for (const args of [[], ["--check"]]) {
    const { code, stdout, stderr } = await runHere(["serve", "--config", path, ...args], without);
    t.is(code, 2);
    t.is(stdout, "");
    t.regex(stderr, /^certbound: openssl: .*OpenSSL 3.*\n$/);
    t.false(await exists(join(dirname(path), "store.db")));
  }
});

test("openssl is not asked for when no client needs it", async (t) => {
  const text = changed("tokenAuthMethod: TLS_CLIENT_AUTH", "tokenAuthMethod: CLIENT_SECRET_BASIC").replace(
    subject,
    "clientSecret: { file: client-c.secret }",
  );
  const path = await writeConfiguration(t, text);
  const { code } = await runHere(["serve", "--config", path, "--check"], { ...env, PATH: "" });
  t.is(code, 0);
});

test("a store that cannot be opened is refused with exit code 2 and one message", async (t) => {
  const noFolder = await writeConfiguration(t, changed("store.db", "nowhere/store.db"));
  const notADatabase = await writeConfiguration(t);
  await writeFile(join(dirname(notADatabase), "store.db"), "this is not a database, but some text that is long enough");
  for (const path of [noFolder, notADatabase]) {
    const { code, stdout, stderr } = await runHere(["serve", "--config", path]);
    t.is(code, 2);
    t.is(stdout, "");
    t.regex(stderr, /^certbound: .*store\.db.*\n$/);
    t.notRegex(stderr, /\n./);
  }
});

test("a port that is taken is refused with exit code 2 and one message, and the store is closed again", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  t.teardown(() => other.close());
  const { port } = other.address() as AddressInfo;
  const path = await writeConfiguration(t, changed("port: 0", `port: ${port}`));
  t.deepEqual(await runHere(["serve", "--config", path]), {
    code: 2,
    stdout: "",
    stderr: `certbound: cannot listen on 127.0.0.1:${port}: something else listens there already (EADDRINUSE)\n`,
  });
  t.false(await exists(join(dirname(path), "store.db")));
});

test("a start that finds its address taken changes nothing for the backend that runs on the same store", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  t.teardown(() => other.close());
  const { port } = other.address() as AddressInfo;
  const running = await writeConfiguration(t);
  const backend = await openBackend({
    configuration: await readConfiguration({ path: running, env }),
    log: createLog({ level: "silent", stream: process.stdout }),
  });
  t.teardown(() => backend.close());
  const request = { parameters: "grant_type=client_credentials&client_id=9999" };
  const before = (await backend.authToken(request)).resultCode;
  t.is(before, "A244306");
  // The same store, other clients, and an address that cannot be had: had it been put into the store first, the clients
  // of the running backend would be gone, and their tokens with them.
  const text = changed("port: 0", `port: ${port}`).replace(/clientId: \d+/, "clientId: 9999");
  const second = join(dirname(running), "second.yaml");
  await writeFile(second, text);
  t.is((await runHere(["serve", "--config", second])).code, 2);
  t.is((await backend.authToken(request)).resultCode, "A244306");
});

test("an unavailable address is refused with exit code 2 and one message with the reason", async (t) => {
  const rows: readonly [listen: string, message: RegExp][] = [
    [
      "{ unix: nowhere/certbound.sock }",
      /^certbound: cannot listen on \/.*\/nowhere\/certbound\.sock: there is no such folder, or .* \(EACCES\)\n$/,
    ],
    [
      "{ unix: client-ca.pem }",
      /^certbound: cannot listen on \/.*\/client-ca\.pem: something else listens there, or .* \(EADDRINUSE\)\n$/,
    ],
    [`{ unix: ${"long".repeat(50)}.sock }`, /^certbound: cannot listen on .*: the path is too long .* \(EINVAL\)\n$/],
    [
      "{ host: 192.0.2.1, behindTls: true }",
      /^certbound: cannot listen on 192\.0\.2\.1:8705: this machine has no such address \(EADDRNOTAVAIL\)\n$/,
    ],
  ];
  for (const [listen, message] of rows) {
    const path = await writeConfiguration(t, changed("{ host: 127.0.0.1, port: 0 }", listen));
    const { code, stdout, stderr } = await runHere(["serve", "--config", path]);
    t.is(code, 2);
    t.is(stdout, "");
    t.regex(stderr, message);
    t.false(await exists(join(dirname(path), "store.db")));
  }
});

test("a configuration that is not there, or is no YAML, is refused with exit code 2 and one message", async (t) => {
  const path = await writeConfiguration(t, "a: [");
  t.deepEqual(await runHere(["serve", "--config", path]), {
    code: 2,
    stdout: "",
    stderr: `certbound: ${path}: line 1, column 5: the indentation is wrong, or a bracket is not closed\n`,
  });
  t.deepEqual(await runHere(["serve", "--config", `${path}.none`]), {
    code: 2,
    stdout: "",
    stderr: `certbound: ${path}.none: cannot be read: there is no such file (ENOENT)\n`,
  });
});

test("another secretKey than the store's is refused and changes nothing; --new-secret-key replaces it", async (t) => {
  const path = await writeConfiguration(t);
  const other = { ...env, CERTBOUND_SECRET_KEY: Buffer.alloc(32, 99).toString("base64") };
  const open = async (environment: typeof env, newSecretKey = false) =>
    openBackend({
      configuration: await readConfiguration({ path, env: environment }),
      log: createLog({ level: "silent", stream: process.stdout }),
      newSecretKey,
    });
  const running = await open(env);
  const request = { parameters: "grant_type=client_credentials&client_id=9999" };
  const { code, stderr } = await runHere(["serve", "--config", path], other);
  t.is(code, 2);
  t.regex(stderr, /^certbound: .*secretKey is not the key .*--new-secret-key\n$/);
  t.is((await running.authToken(request)).resultCode, "A244306");
  await running.close();
  const renewed = await open(other, true);
  t.is((await renewed.authToken(request)).resultCode, "A244306");
  await renewed.close();
  await (await open(other)).close();
  await t.throwsAsync(open(env), { message: /secretKey is not the key/ });
});
