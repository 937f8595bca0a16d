import { once } from "node:events";
import { connect, type ConnectionOptions, getCiphers } from "node:tls";
import test, { type ExecutionContext } from "ava";
import {
  createAuthority,
  createKeyPair,
  createSelfSigned,
  serverAuth,
  type TestCertificate,
} from "../support/certificates.ts";
import { accessTokenOf, startDeployment } from "../support/deployment.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { startExampleDeployment } from "./example-deployment.ts";
import { clientSettings, jwksOf } from "../support/settings.ts";

const selfSigned = (clientId: number, jwks: string) =>
  clientSettings({ clientId, tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH", jwks });

test("8705-2.2-a: exactly a registered certificate authenticates, also expired or from an unknown CA", async (t) => {
  const plain = createSelfSigned({ subject: "CN=plain" });
  const expired = createSelfSigned({ subject: "CN=expired", notAfter: new Date("2021-01-01T00:00:00Z") });
  const fromUnknownAuthority = createAuthority({ subject: "CN=Unknown CA" }).issue({ subject: "CN=issued" });
  const unregistered = createSelfSigned({ subject: "CN=plain" });
  const { token } = await startDeployment(t, {
    clients: [selfSigned(1, jwksOf(plain, expired, fromUnknownAuthority))],
  });
  for (const registered of [plain, expired, fromUnknownAuthority]) {
    accessTokenOf(t, await token({ client_id: "1" }, registered));
  }
  assertErrorForm(t, await token({ client_id: "1" }, unregistered), "invalid_client", [400, 401]);
});

test("8705-2.2-b: another certificate over the registered key is refused", async (t) => {
  const key = createKeyPair();
  const registered = createSelfSigned({ subject: "CN=client", key });
  const reissued = createSelfSigned({ subject: "CN=client", key });
  const { token } = await startDeployment(t, { clients: [selfSigned(1, jwksOf(registered))] });
  accessTokenOf(t, await token({ client_id: "1" }, registered));
  assertErrorForm(t, await token({ client_id: "1" }, reissued), "invalid_client", [400, 401]);
});

test("8705-2.2.2-a: a key without x5c registers no certificate, and of x5c only the first element counts", async (t) => {
  const wanted = createSelfSigned({ subject: "CN=wanted" });
  const rsa = createSelfSigned({ subject: "CN=rsa", key: "RSA-2048" });
  const other = createSelfSigned({ subject: "CN=other" });
  const withoutX5c = [wanted, rsa].map((certificate) => ({
    ...certificate.keyPair.publicKey.export({ format: "jwk" }),
    "x5t#S256": certificate.x5tS256,
  }));
  const [keyOfOther] = (JSON.parse(jwksOf(other)) as { keys: { x5c: string[] }[] }).keys;
  const withSecond = { ...keyOfOther, x5c: [...(keyOfOther?.x5c ?? []), wanted.der.toString("base64")] };
  const { token } = await startDeployment(t, {
    clients: [selfSigned(1, JSON.stringify({ keys: [...withoutX5c, withSecond] }))],
  });
  accessTokenOf(t, await token({ client_id: "1" }, other));
  for (const certificate of [wanted, rsa]) {
    assertErrorForm(t, await token({ client_id: "1" }, certificate), "invalid_client", [400, 401]);
  }
});

test("selfSignedCertificateKeyId picks the one key whose certificate counts", async (t) => {
  const first = createSelfSigned({ subject: "CN=first" });
  const second = createSelfSigned({ subject: "CN=second" });
  const { keys } = JSON.parse(jwksOf(first, second)) as { keys: object[] };
  const jwks = JSON.stringify({ keys: keys.map((key, index) => ({ ...key, kid: `key-${index}` })) });
  const client = { ...selfSigned(1, jwks), selfSignedCertificateKeyId: "key-1" };
  const { token } = await startDeployment(t, { clients: [client] });
  accessTokenOf(t, await token({ client_id: "1" }, second));
  assertErrorForm(t, await token({ client_id: "1" }, first), "invalid_client", [400, 401]);
});

const authority = createAuthority({ subject: "CN=Server CA" });
const certificateWith = (key: "P-256" | "RSA-2048"): TestCertificate =>
  authority.issue({ subject: "CN=localhost", san: [{ dns: "localhost" }], eku: [serverAuth], key });

/** Every listener of ours that ends TLS: the backend's, with both kinds of keys, and the example's two. */
async function startListeners(t: ExecutionContext): Promise<readonly string[]> {
  const backends = (["RSA-2048", "P-256"] as const).map(async (kind) => {
    const { pem: certificate, key } = certificateWith(kind);
    const listen = {
      ...{ host: "127.0.0.1", port: 0, behindTls: false },
      tls: { certificate, key, minVersion: "TLSv1.2" },
    } as const;
    const { backendUrl } = await startDeployment(t, {
      clients: [clientSettings({ clientId: 1 })],
      configuration: { listen },
    });
    return backendUrl;
  });
  const { issuer, mutualTls } = await startExampleDeployment(t);
  return [...(await Promise.all(backends)), issuer, mutualTls];
}

/** What a handshake agrees on, or how it ends. Asks for anything that this OpenSSL can be made to say. */
async function handshake(url: string, options: ConnectionOptions): Promise<string> {
  const { port } = new URL(url);
  const socket = connect({ host: "127.0.0.1", port: Number(port), rejectUnauthorized: false, ...options });
  try {
    await once(socket, "secureConnect");
    return `${socket.getProtocol() ?? ""} ${socket.getCipher().name}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    socket.destroy();
  }
}

const recommended = ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"].flatMap((cipher) => [
  `ECDHE-ECDSA-${cipher}`,
  `ECDHE-RSA-${cipher}`,
]);
const refused = getCiphers()
  .map((name) => name.toUpperCase())
  .filter((name) => !name.startsWith("TLS_") && !recommended.includes(name));

test("8705-7.3, 7662-4-e, 8705-8: listeners speak TLS 1.3 or 1.2 with BCP 195's suites, nothing weaker", async (t) => {
  t.true(refused.length > 40, "there is something to refuse");
  for (const url of await startListeners(t)) {
    t.regex(await handshake(url, {}), /^TLSv1\.3 TLS_/);
    t.regex(await handshake(url, { minVersion: "TLSv1.3", maxVersion: "TLSv1.3" }), /^TLSv1\.3 /);
    const agreed = await handshake(url, { maxVersion: "TLSv1.2" });
    t.true(recommended.map((suite) => `TLSv1.2 ${suite}`).includes(agreed), agreed);
    for (const version of ["TLSv1", "TLSv1.1"] as const) {
      const old = { minVersion: version, maxVersion: version, ciphers: "DEFAULT@SECLEVEL=0" } as const;
      t.is(await handshake(url, old), "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", version);
    }
    for (const suite of refused) {
      const weak = { maxVersion: "TLSv1.2", ciphers: `${suite}:@SECLEVEL=0` } as const;
      t.notRegex(await handshake(url, weak), /^TLSv/, suite);
    }
  }
});
