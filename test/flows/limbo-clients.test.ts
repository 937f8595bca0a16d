import { X509Certificate } from "node:crypto";
import test from "ava";
import { pino } from "pino";
import { openBackend } from "../../src/backend/backend.ts";
import { readLimboClientCases, readLimboExpectations } from "../certificate-corpora/limbo.ts";
import { clientSettings, configurationOf, serviceSettings } from "../support/settings.ts";

const pem = (der: Uint8Array): string => new X509Certificate(der).toString();

const expectations = await readLimboExpectations();

for (const limbo of await readLimboClientCases()) {
  test(`8705-7.5-b: limbo through tls_client_auth: ${limbo.id}`, async (t) => {
    const client = clientSettings({
      clientId: 1,
      tokenAuthMethod: "TLS_CLIENT_AUTH",
      // All ten cases have this subject: what is at stake is the path alone.
      tlsClientAuthSubjectDn: "CN=example.com",
    });
    const settings = serviceSettings({ trustedRootCertificates: limbo.path.anchors.map(pem) });
    const backend = await openBackend({
      configuration: configurationOf([{ settings, clients: [client] }]),
      log: pino({ level: "silent" }),
      clock: () => limbo.at,
      path: process.env["PATH"] ?? "",
    });
    t.teardown(() => backend.close());
    const answer = await backend.authToken({
      parameters: "grant_type=client_credentials&client_id=1",
      clientCertificate: pem(limbo.path.leaf),
      clientCertificatePath: limbo.path.intermediates.map(pem),
    });
    const expected = expectations.get(limbo.id)?.openssl ?? "";
    if (expected === "trusted") {
      t.is(answer.action, "OK", answer.resultMessage);
    } else {
      t.is(answer.resultCode, "A157339");
      t.is(answer.action, "INVALID_CLIENT");
      t.true(answer.resultMessage.includes(expected), answer.resultMessage);
      t.is(answer.accessToken, undefined);
    }
    // The one case in which OpenSSL's verdict is not RFC 5280's; why is in the table of the corpus.
    t.is(expected === "trusted", limbo.valid || limbo.id === "rfc5280::nc::nc-permits-invalid-email-san");
  });
}
