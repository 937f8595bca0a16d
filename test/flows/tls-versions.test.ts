import { once } from "node:events";
import { connect, getCiphers, type ConnectionOptions } from "node:tls";
import test, { type ExecutionContext } from "ava";
import { createAuthority, serverAuth, type TestCertificate } from "../support/certificates.ts";
import { startDeployment } from "../support/deployment.ts";
import { startExampleDeployment } from "../support/example-deployment.ts";
import { clientSettings } from "../support/settings.ts";

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

test("8705-7.3, 7662-4-e, 8705-8: every listener speaks TLS 1.3 where both can, else 1.2 with the suites of BCP 195, and nothing older or weaker", async (t) => {
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
