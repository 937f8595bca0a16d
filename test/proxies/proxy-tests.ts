import { spawn } from "node:child_process";
import { once } from "node:events";
import { stat, writeFile } from "node:fs/promises";
import { connect as connectHttp2 } from "node:http2";
import { join } from "node:path";
import test from "ava";
import { dialects, forgedLines, spellings } from "../../src/cli/probe/dialects.ts";
import { runHere } from "../cli/run-certbound.ts";
import { createAuthority, createSelfSigned, type TestCertificate } from "../support/certificates.ts";
import { send } from "../support/https-request.ts";
import { createLifetime } from "./foreground-process.ts";
import { type ProxiedApi, startProxiedApi } from "./proxied-api.ts";
import type { ProxyKind } from "./proxy-kinds.ts";
import { type Exchange, exchange, type ExchangeRequest } from "./raw-exchange.ts";

const victim = createSelfSigned({ subject: "CN=victim" });
const thief = createSelfSigned({ subject: "CN=thief" });
const authority = createAuthority({ subject: "CN=Client CA" });
const expired = createSelfSigned({ subject: "CN=expired", notAfter: new Date("2021-01-01T00:00:00Z") });
/** A certificate of about 16 KiB, all of it names. */
const large = createSelfSigned({
  subject: "CN=large",
  san: Array.from({ length: 420 }, (_, index) => ({ dns: `name-${index}.of-a-client-with-many-names.example.com` })),
});

/** The names under which an API could look for the certificate, however a proxy spells them. */
const certificateHeaders = ["client-cert", "client-cert-chain", "x-ssl-cert"];

/** What every proxy has to do with the configuration that is shipped for it. */
export function testProxy(kind: ProxyKind): void {
  const lifetime = createLifetime();
  let proxied: ProxiedApi;
  let token: string;

  test.before(async () => {
    proxied = await startProxiedApi(lifetime, kind);
    token = await proxied.tokenFor(victim);
  });
  test.after.always(() => lifetime.end());

  const ask = ({ lines = [], ...request }: Partial<ExchangeRequest>, bearer = token): Promise<Exchange> =>
    exchange({
      port: proxied.port,
      ca: proxied.ca,
      ...request,
      lines: [`Authorization: Bearer ${bearer}`, ...lines],
    });

  test("only the right certificate opens the API, not another one and not a missing one", async (t) => {
    const right = await ask({ as: victim });
    t.is(right.status, 200, right.body);
    t.is(right.headers["x-seen"], victim.x5tS256);
    const other = await ask({ as: thief });
    t.is(other.status, 401);
    t.is(other.headers["x-seen"], thief.x5tS256);
    const none = await ask({});
    t.is(none.status, 401);
    t.is(none.headers["x-seen"], "none");
    t.is((await ask({ as: victim }, "another-token")).status, 401);
  });

  test("certificates of each kind of key and from any authority come through as they are", async (t) => {
    const certificates: readonly TestCertificate[] = [
      createSelfSigned({ subject: "CN=rsa", key: "RSA-2048" }),
      authority.issue({ subject: "CN=issued" }),
    ];
    for (const as of certificates) {
      const bound = await proxied.tokenFor(as);
      for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
        const answer = await ask({ as, minVersion: version, maxVersion: version }, bound);
        t.is(answer.status, 200, answer.body);
        t.is(answer.headers["x-seen"], as.x5tS256);
        t.is(answer.protocol, version);
      }
    }
  });

  test(`an expired certificate is answered as the configuration defines: ${kind.expired}`, async (t) => {
    const asked = ask({ as: expired }, await proxied.tokenFor(expired));
    if (kind.expired === "alert") await t.throwsAsync(asked, { message: /alert certificate expired/i });
    else t.is((await asked).status, kind.expired);
    t.is((await ask({ as: victim })).status, 200);
  });

  test("TLS 1.1 is not spoken", async (t) => {
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    await t.throwsAsync(ask({ as: victim, ...old }), { message: /protocol version|alert/i });
  });

  testForgery(kind, ask);
  testResumption(ask);
  testLimits(ask, (certificate) => proxied.tokenFor(certificate));
  testHop(kind, ask, () => proxied);

  test("over HTTP/2 it is the same: right 200, other, missing and forged 401", async (t) => {
    const header = headerOf(kind);
    const forged = dialects.flatMap(({ forgeries }) => forgeries).find((one) => one.header === header);
    if (forged === undefined) throw new Error("No dialect has the header.");
    const [line = ""] = forgedLines(forged, { name: "as documented" }, { der: victim.der });
    const value = line.slice(line.indexOf(": ") + 2);
    for (const [as, headers, status, seen] of [
      [victim, {}, 200, victim.x5tS256],
      [thief, {}, 401, thief.x5tS256],
      [undefined, {}, 401, "none"],
      [undefined, { [header.toLowerCase()]: value }, 401, "none"],
      [thief, { [header.toLowerCase()]: value }, 401, thief.x5tS256],
      [undefined, { [header.toLowerCase().replaceAll("-", "_")]: value }, 401, "none"],
      [undefined, { [header.toLowerCase()]: [value, value] }, 401, "none"],
    ] as const) {
      const answer = await askHttp2(proxied, token, as, headers);
      t.deepEqual(answer, { status, seen });
    }
  });

  test("certbound probe finds nothing that is believed", async (t) => {
    const { code, stdout, stderr } = await probe(proxied, token);
    t.is(code, 0, stdout + stderr);
    const { verdict, controlled } = JSON.parse(stdout) as { verdict: string; controlled: boolean };
    t.deepEqual({ verdict, controlled }, { verdict: "not believed", controlled: true });
  });

  test("made careless, the configuration is found out by certbound probe", async (t) => {
    const own = createLifetime();
    t.teardown(() => own.end());
    const { change, dialect } = kind.careless;
    const careless = await startProxiedApi(own, kind, (configuration) => {
      const changed = change(configuration);
      t.not(changed, configuration);
      return changed;
    });
    const { code, stdout, stderr } = await probe(careless, await careless.tokenFor(victim));
    t.is(code, 1, stdout + stderr);
    const { dialects: results } = JSON.parse(stdout) as { dialects: { name: string; believed: string[] }[] };
    t.true(results.some(({ name, believed }) => name === dialect && believed.length > 0));
  });
}

type Ask = (request: Partial<ExchangeRequest>, token?: string) => Promise<Exchange>;

function testForgery(kind: ProxyKind, ask: Ask): void {
  const own = headerOf(kind).toLowerCase();

  for (const as of [undefined, thief]) {
    const seen = as?.x5tS256 ?? "none";
    const how = as === undefined ? "without a certificate" : "with a certificate of one's own";
    test(`9440-2.4-a: a forged header reaches the API in no dialect and no spelling (${how})`, async (t) => {
      let reached = 0;
      for (const { name, forgeries } of dialects) {
        for (const forgery of forgeries) {
          for (const spelling of spellings) {
            const lines = forgedLines(forgery, spelling, { der: victim.der, decoy: thief.der });
            const { status, headers } = await ask({ as, lines });
            const said = `${name}, ${forgery.header}, ${forgery.encoding}, ${spelling.name}: ${status}`;
            if (headers["x-seen"] === undefined) {
              // The proxy itself has answered: nothing has reached the API.
              t.true(spelling.malformed === true && (status === 400 || status === 0), said);
              continue;
            }
            reached += 1;
            t.is(status, 401, said);
            t.is(headers["x-seen"], seen, said);
            const received = (headers["x-received"] ?? "").toLowerCase().replaceAll("_", "-").split(" ");
            const looked = certificateHeaders.filter((header) => isRemoved(kind, header));
            const found = received.filter((header) => looked.includes(header));
            t.deepEqual(found, as === undefined ? [] : [own], said);
          }
        }
      }
      t.true(reached > 100);
    });
  }

  test("a forged chain is removed too, and a header named in Connection gives no other certificate", async (t) => {
    for (const as of [undefined, victim]) {
      for (const name of ["Client-Cert-Chain", "client_cert_chain", "Client-Cert_Chain", "Client_Cert-Chain"]) {
        const { headers } = await ask({ as, lines: [`${name}: :${thief.der.toString("base64")}:`] });
        t.regex(headers["x-received"] ?? "", /\bauthorization\b/i, name);
        t.false((headers["x-received"] ?? "").toLowerCase().includes("chain"), name);
      }
    }
    for (const [as, seen] of [
      [victim, [victim.x5tS256, "none"]],
      [undefined, ["none"]],
    ] as const) {
      const { headers } = await ask({ as, lines: ["Connection: close, Client-Cert, X-SSL-Cert"] });
      t.true((seen as readonly string[]).includes(headers["x-seen"] ?? ""), headers["x-seen"]);
    }
  });
}

/** The header that the API behind it reads. */
function headerOf({ header = "Client-Cert" }: ProxyKind): string {
  return header;
}

/** What the configuration takes away: RFC 9440's headers always, and the one that its own API reads. */
function isRemoved(kind: ProxyKind, name: string): boolean {
  return name.startsWith("client-cert") || name === headerOf(kind).toLowerCase();
}

function testResumption(ask: Ask): void {
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    test(`9440-3-a: a resumed session has its first handshake's certificate, or none (${version})`, async (t) => {
      const versions = { minVersion: version, maxVersion: version };
      const first = await ask({ as: victim, ...versions });
      t.is(first.status, 200);
      t.false(first.resumed);
      t.is(first.protocol, version);
      // Twice, and once by a client that shows no certificate again: TLS does not ask in a resumed handshake.
      for (const as of [victim, victim, undefined]) {
        const again = await ask({ as, session: first.session, ...versions });
        t.true(again.resumed);
        t.is(again.status, 200);
        t.is(again.headers["x-seen"], victim.x5tS256);
      }
      const bare = await ask(versions);
      t.is(bare.headers["x-seen"], "none");
      const bareAgain = await ask({ session: bare.session, ...versions });
      t.true(bareAgain.resumed);
      t.is(bareAgain.status, 401);
      t.is(bareAgain.headers["x-seen"], "none");
    });
  }
}

function testLimits(ask: Ask, tokenFor: (certificate: TestCertificate) => Promise<string>): void {
  test("a header of 16 KiB is refused with 4xx, whosever it is, and the next request is answered", async (t) => {
    const long = "A".repeat(16_384);
    for (const name of ["Client-Cert", "X-SSL-Cert", "X-Other"]) {
      for (const as of [undefined, victim]) {
        const { status, headers } = await ask({ as, lines: [`${name}: ${long}`] });
        t.true(status >= 400 && status < 500, `${name}: ${status}`);
        t.is(headers["x-seen"], undefined);
        t.is((await ask({ as: victim })).status, 200);
      }
    }
  });

  test("a certificate in a header of more than 16 KiB opens nothing, and the next request is answered", async (t) => {
    t.true(large.der.length > 16_384);
    const { status, headers } = await ask({ as: large }, await tokenFor(large));
    t.log(`${status}, seen: ${headers["x-seen"] ?? "-"}`);
    t.true(status >= 400 && status < 500, String(status));
    t.is((await ask({ as: victim })).status, 200);
  });
}

function testHop(kind: ProxyKind, ask: Ask, proxied: () => ProxiedApi): void {
  const [forgery] = dialects.flatMap(({ forgeries }) => forgeries).filter(({ header }) => header === headerOf(kind));
  if (forgery === undefined) throw new Error("No dialect has the header.");
  const lines = forgedLines(forgery, { name: "as documented" }, { der: victim.der });
  const ids = "9440-4-c, 8705-6.5, 9700-4.13";

  if (kind.hop === "unix") {
    test(`${ids}: the client's header is removed, and only the proxy's user and group can open the socket`, async (t) => {
      t.is((await ask({ as: victim })).status, 200);
      t.is((await ask({ lines })).headers["x-seen"], "none");
      const { api } = proxied();
      if (!("socket" in api)) throw new Error("The API does not listen on a socket.");
      const { mode } = await stat(api.socket);
      t.is(mode & 0o007, 0);
      if (process.getuid?.() !== 0) return;
      // Anybody else is kept out by the system.
      const [code] = (await once(
        spawn("sh", ["-c", `test -w "$1"`, "sh", api.socket], { uid: 65_534, gid: 65_534 }),
        "exit",
      )) as [number];
      t.is(code, 1);
    });
    return;
  }

  test(`${ids}: the client's header is removed, and only a peer with the proxy's certificate is believed`, async (t) => {
    t.is((await ask({ as: victim })).status, 200);
    t.is((await ask({ lines })).headers["x-seen"], "none");
    const { api, ca } = proxied();
    if (!("port" in api)) throw new Error("The API does not listen on a port.");
    for (const as of [undefined, thief, victim]) {
      const { status, headers } = await ask({ port: api.port, ca, servername: "api.internal", as, lines });
      t.is(status, 401);
      t.is(headers["x-seen"], "unreadable: peer_not_trusted");
    }
    // In the clear nobody is spoken to.
    await t.throwsAsync(send({ url: `http://127.0.0.1:${api.port}/` }), { code: "ECONNRESET" });
  });

  test("the proxy sends certificates and tokens only to the API of that name", async (t) => {
    const own = createLifetime();
    t.teardown(() => own.end());
    const { port, ca, tokenFor } = await startProxiedApi(own, kind, (configuration) =>
      configuration.replace("proxy_ssl_name ${API_NAME};", "proxy_ssl_name other.internal;"),
    );
    const { status, headers } = await ask({ port, ca, as: victim }, await tokenFor(victim));
    t.is(status, 502);
    t.is(headers["x-seen"], undefined);
  });
}

async function probe(proxied: ProxiedApi, token: string): ReturnType<typeof runHere> {
  const file = (name: string): string => join(proxied.folder, name);
  await writeFile(file("victim.pem"), victim.pem);
  await writeFile(file("victim.key"), victim.key, { mode: 0o600 });
  return runHere(
    [
      ...["probe", `https://localhost:${proxied.port}/`, "--json", "--ca", proxied.caFile],
      ...["--certificate", file("victim.pem"), "--key", file("victim.key")],
    ],
    { PATH: process.env["PATH"] ?? "", CERTBOUND_PROBE_TOKEN: token },
  );
}

async function askHttp2(
  { port, ca }: ProxiedApi,
  token: string,
  as: TestCertificate | undefined,
  headers: Readonly<Record<string, string | readonly string[]>>,
): Promise<{ status: unknown; seen: unknown }> {
  const identity = as === undefined ? {} : { cert: as.pem, key: as.key };
  const session = connectHttp2(`https://localhost:${port}`, { ca, ...identity });
  try {
    const stream = session.request({ authorization: `Bearer ${token}`, ...(headers as Record<string, string>) });
    const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
    stream.on("response", resolve).on("error", reject);
    session.on("error", reject);
    stream.resume();
    const answer = await promise;
    return { status: answer[":status"], seen: answer["x-seen"] };
  } finally {
    session.destroy();
  }
}
