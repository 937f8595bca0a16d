import { once } from "node:events";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { get as httpGet, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { TLSSocket, type SecureVersion } from "node:tls";
import test, { type ExecutionContext } from "ava";
import type { CertificateSource } from "../../src/client-certificate/certificate-source.ts";
import { peerCertificatePems, tlsSocket } from "../../src/client-certificate/tls-socket.ts";
import { createAuthority, createLookAlike, createSelfSigned, type TestCertificate } from "../support/certificates.ts";
import { openTlsClient, type TlsClient, type TlsClientOptions } from "./tls-client.ts";
import { openListener, type Listener, type ListenerOptions } from "./tls-listener.ts";

const source: CertificateSource = tlsSocket();

/** What the source says, in JSON's terms. */
function told(request: Parameters<CertificateSource>[0]): unknown {
  const found = source(request);
  return found !== undefined && "raw" in found ? { ...found, raw: Buffer.from(found.raw).toString("base64") } : found;
}

function toldOf({ x5tS256, der }: TestCertificate): unknown {
  return { x5tS256, raw: der.toString("base64") };
}

const root = createAuthority({ subject: "CN=Root" });
const upper = createAuthority({ subject: "CN=Upper", parent: root });
const lower = createAuthority({ subject: "CN=Lower", parent: upper });
const leaf = lower.issue({ subject: "CN=client-a" });
const selfSigned = createSelfSigned({ subject: "CN=client-b" });
const versions: readonly SecureVersion[] = ["TLSv1.2", "TLSv1.3"];

async function listener(t: ExecutionContext, options: Partial<ListenerOptions> = {}): Promise<Listener> {
  const opened = await openListener({ protocol: "h1", answer: told, ...options });
  t.teardown(() => opened.close());
  return opened;
}

async function client(t: ExecutionContext, options: TlsClientOptions): Promise<TlsClient> {
  const opened = await openTlsClient(options);
  t.teardown(() => opened.close());
  return opened;
}

for (const version of versions) {
  test(`${version}: the certificate of the handshake, whoever signed it and whenever it was valid`, async (t) => {
    const { port } = await listener(t, { version });
    const expired = createSelfSigned({ subject: "CN=old", notAfter: new Date("2021-01-01T00:00:00Z") });
    const rsa = createSelfSigned({ subject: "CN=rsa", key: "RSA-2048" });
    for (const as of [leaf, selfSigned, expired, rsa, createLookAlike(leaf)]) {
      const { get } = await client(t, { port, as });
      t.deepEqual(await get(), toldOf(as));
    }
  });

  test(`${version}: no certificate, whatever the headers contain`, async (t) => {
    const { port } = await listener(t, { version });
    const { get } = await client(t, { port });
    t.is(await get(), null);
    const headers = {
      "client-cert": `:${leaf.der.toString("base64")}:`,
      "x-ssl-cert": encodeURIComponent(leaf.pem),
      "x-forwarded-client-cert": `Hash=${leaf.x5tS256}`,
    };
    t.is(await get(headers), null);
  });

  test(`${version}: a resumed session has the first handshake's certificate, whatever the client has now`, async (t) => {
    const reused: boolean[] = [];
    const { port } = await listener(t, {
      version,
      answer: (request) => {
        if (request.socket instanceof TLSSocket) reused.push(request.socket.isSessionReused());
        return told(request);
      },
    });
    const first = await client(t, { port, as: leaf });
    t.deepEqual(await first.get(), toldOf(leaf));
    const session = await first.session();
    for (const identity of [{}, { as: selfSigned }, { as: leaf }]) {
      const resumed = await client(t, { port, session, ...identity });
      t.deepEqual(await resumed.get(), toldOf(leaf));
    }
    t.deepEqual(reused, [false, true, true, true]);
  });

  test(`${version}: a session that began without a certificate has none when it is resumed`, async (t) => {
    const { port } = await listener(t, { version });
    const first = await client(t, { port });
    t.is(await first.get(), null);
    const resumed = await client(t, { port, session: await first.session(), as: leaf });
    t.true(resumed.socket.isSessionReused());
    t.is(await resumed.get(), null);
  });

  test(`${version}: leaf and path as PEM, the path in the order sent, after a resumption, too`, async (t) => {
    const { port } = await listener(t, { version, answer: peerCertificatePems });
    const path = [lower.certificate, upper.certificate];
    const answer = { clientCertificate: leaf.pem, clientCertificatePath: path.map(({ pem }) => pem) };
    const first = await client(t, { port, as: leaf, path });
    t.deepEqual(await first.get(), answer);
    const resumed = await client(t, { port, session: await first.session() });
    t.true(resumed.socket.isSessionReused());
    t.deepEqual(await resumed.get(), answer);
  });

  test(`${version}: no path of an earlier connection where the client sends none`, async (t) => {
    const { port } = await listener(t, { version, answer: peerCertificatePems });
    const certificate = lower.issue({ subject: "CN=client-c" });
    const first = await client(t, { port, as: certificate, path: [lower.certificate] });
    await first.get();
    const second = await client(t, { port, as: certificate });
    t.deepEqual(await second.get(), { clientCertificate: certificate.pem, clientCertificatePath: [] });
  });
}

test("a self-signed certificate has an empty path, a connection without certificate has nothing", async (t) => {
  const { port } = await listener(t, { answer: peerCertificatePems });
  const withCertificate = await client(t, { port, as: selfSigned });
  t.deepEqual(await withCertificate.get(), { clientCertificate: selfSigned.pem, clientCertificatePath: [] });
  const without = await client(t, { port });
  t.deepEqual(await without.get(), { clientCertificatePath: [] });
});

test("a path that goes round, or on and on, ends after ten certificates", async (t) => {
  const { port } = await listener(t, { answer: peerCertificatePems });
  const cycle = Array.from({ length: 6 }, () => [root.certificate, selfSigned]).flat();
  const { get } = await client(t, { port, as: leaf, path: cycle });
  t.deepEqual(await get(), {
    clientCertificate: leaf.pem,
    clientCertificatePath: cycle.slice(0, 10).map(({ pem }) => pem),
  });
});

test("a plain connection has no certificate", async (t) => {
  const { url } = await listener(t, {
    protocol: "plain",
    answer: (request) => [told(request) ?? null, peerCertificatePems(request)],
  });
  const [response] = (await once(httpGet(url, { agent: false }), "response")) as [IncomingMessage];
  t.deepEqual(JSON.parse(await text(response)), [null, { clientCertificatePath: [] }]);
});

/** How often the connection itself is asked, while `during` runs; the tests that use this run alone. */
async function countLooks(during: () => Promise<void>): Promise<number> {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back as it was found
  const original = TLSSocket.prototype.getPeerX509Certificate;
  let looks = 0;
  TLSSocket.prototype.getPeerX509Certificate = function look(this: TLSSocket) {
    looks += 1;
    return original.call(this);
  };
  try {
    await during();
  } finally {
    TLSSocket.prototype.getPeerX509Certificate = original;
  }
  return looks;
}

test.serial("requests on one connection look at its certificate once, with or without one", async (t) => {
  const { port } = await listener(t);
  for (const identity of [{ as: leaf }, {}]) {
    const { get } = await client(t, { port, ...identity });
    const looks = await countLooks(async () => {
      const first = await get();
      for (let times = 0; times < 3; times += 1) t.deepEqual(await get(), first);
    });
    t.is(looks, 1);
  }
});

async function askHttp2(session: ClientHttp2Session): Promise<unknown> {
  return JSON.parse(await text(session.request({ ":path": "/" })));
}

test.serial("HTTP/2: streams of one session share one look, sessions do not share a certificate", async (t) => {
  const { url } = await listener(t, { protocol: "h2" });
  for (const as of [leaf, selfSigned, undefined]) {
    const identity = as === undefined ? {} : { cert: as.pem, key: as.key };
    const session = connectHttp2(url, { rejectUnauthorized: false, ...identity });
    const looks = await countLooks(async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => askHttp2(session)));
      t.deepEqual(answers, Array(10).fill(as === undefined ? null : toldOf(as)));
      t.deepEqual(await askHttp2(session), answers[0]);
    });
    t.is(looks, 1);
    session.close();
    await once(session, "close");
  }
});

test("HTTP/2: leaf and path as PEM", async (t) => {
  const { url } = await listener(t, { protocol: "h2", answer: peerCertificatePems });
  const session = connectHttp2(url, {
    rejectUnauthorized: false,
    cert: leaf.pem + lower.certificate.pem,
    key: leaf.key,
  });
  t.deepEqual(await askHttp2(session), {
    clientCertificate: leaf.pem,
    clientCertificatePath: [lower.certificate.pem],
  });
  session.close();
  await once(session, "close");
});

/** Whether a connection still answers after the client has begun to renegotiate. */
async function renegotiates({ socket, get }: TlsClient): Promise<boolean> {
  const renegotiated = new Promise<boolean>((resolve) => {
    socket.once("close", () => {
      resolve(false);
    });
    socket.renegotiate({ rejectUnauthorized: false }, (error) => {
      resolve(error === null);
    });
  });
  if (!(await renegotiated)) return false;
  return get().then(
    () => true,
    () => false,
  );
}

for (const [what, answer] of Object.entries({ tlsSocket: told, peerCertificatePems })) {
  test(`TLS 1.2: after ${what} has looked, renegotiation ends the connection`, async (t) => {
    const { port } = await listener(t, { version: "TLSv1.2", answer });
    const looked = await client(t, { port, as: leaf });
    await looked.get();
    t.false(await renegotiates(looked));
  });
}

test("TLS 1.2: without a look the same client may renegotiate", async (t) => {
  const { port } = await listener(t, { version: "TLSv1.2", answer: () => "not looked" });
  const untouched = await client(t, { port, as: leaf });
  await untouched.get();
  t.true(await renegotiates(untouched));
});

test("a connection that ended before the first look is not one without certificate", async (t) => {
  const seen = Promise.withResolvers<unknown>();
  const { port } = await listener(t, {
    answer: (request) => {
      request.socket.destroy();
      seen.resolve([told(request), peerCertificatePems(request)]);
    },
  });
  const { get } = await client(t, { port, as: leaf });
  await t.throwsAsync(get());
  t.deepEqual(await seen.promise, [{ unreadable: "connection_closed" }, { clientCertificatePath: [] }]);
});

test("a connection that ended after the first look keeps its certificate", async (t) => {
  const seen = Promise.withResolvers<unknown>();
  const { port } = await listener(t, {
    answer: (request) => {
      source(request);
      request.socket.destroy();
      seen.resolve(told(request));
    },
  });
  const { get } = await client(t, { port, as: leaf });
  await t.throwsAsync(get());
  t.deepEqual(await seen.promise, toldOf(leaf));
});

test("HTTP/2: a session that ended before the first look is not one without certificate", async (t) => {
  const seen = Promise.withResolvers<unknown>();
  const { url } = await listener(t, {
    protocol: "h2",
    answer: (request) => {
      if ("stream" in request) request.stream.session?.destroy();
      seen.resolve([told(request), peerCertificatePems(request)]);
    },
  });
  const session = connectHttp2(url, { rejectUnauthorized: false, cert: leaf.pem, key: leaf.key });
  session.on("error", () => undefined);
  await askHttp2(session).catch(() => undefined);
  t.deepEqual(await seen.promise, [{ unreadable: "connection_closed" }, { clientCertificatePath: [] }]);
  if (!session.closed) await once(session, "close");
});
