import test from "ava";
import { checkValidity } from "../../../src/backend/surroundings/check-validity.ts";
import { createAuthority, createSelfSigned } from "../../support/certificates.ts";
import { clientSettings, configurationOf, serviceSettings } from "../../support/settings.ts";
import { jwkOf } from "../configuration/a-configuration.ts";

const notBefore = new Date("2026-01-01T00:00:00Z");
const notAfter = new Date("2026-06-01T00:00:00Z");
const root = createAuthority({ subject: "CN=Root", notBefore, notAfter });
const lasting = createAuthority({ subject: "CN=Lasting" });
const leaf = lasting.issue({ subject: "CN=backend", notBefore, notAfter });
const registered = createSelfSigned({ subject: "CN=client-b", notBefore, notAfter });

function saidAt(instant: string, chain = leaf.pem): string[] {
  const configuration = configurationOf(
    [
      {
        settings: serviceSettings({ trustedRootCertificates: [lasting.certificate.pem, root.certificate.pem] }),
        clients: [
          clientSettings({ clientId: 1, trustedRootCertificates: [root.certificate.pem] }),
          clientSettings({
            clientId: 2,
            tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH",
            jwks: JSON.stringify({ keys: [{ kty: "EC" }, jwkOf(registered)] }),
          }),
          clientSettings({ clientId: 3, jwks: JSON.stringify({ keys: [jwkOf(registered)] }) }),
        ],
      },
    ],
    {
      listen: {
        ...{ host: "127.0.0.1", port: 0, behindTls: false },
        tls: { certificate: chain, key: leaf.key, minVersion: "TLSv1.2" },
      },
    },
  );
  const found = checkValidity(configuration, Date.parse(instant));
  if (found.some(({ fatal }) => fatal)) throw new Error("a start does not fail for it");
  return found.map(({ path, sentence }) => `${path} ${sentence}`);
}

const lines = (what: string, separator: string) => [
  `listen.tls.certificate ${what}${separator} callers refuse it`,
  `services[0].trustedRootCertificates[1] ${what}${separator} no client certificate is accepted whose path ends there`,
  `services[0].clients[0].trustedRootCertificates[0] ${what}${separator} no client certificate is accepted whose path ends there`,
  `services[0].clients[1].jwks keys[1] has a certificate that ${what}${separator} it still counts, since it is registered; the client's own software may refuse it`,
];

test("certificates that are valid for thirty days or longer give no warning", (t) => {
  t.deepEqual(saidAt("2026-01-01T00:00:00Z"), []);
  t.deepEqual(saidAt("2026-05-02T00:00:00Z"), []);
});

test("each certificate that expires within thirty days gives a warning with the instant", (t) => {
  t.deepEqual(saidAt("2026-05-02T00:00:01Z"), lines("expires in 29 days (2026-06-01T00:00:00Z)", "; then:"));
  t.deepEqual(saidAt("2026-06-01T00:00:00Z"), lines("expires in 0 days (2026-06-01T00:00:00Z)", "; then:"));
});

test("each certificate that has expired, or is not valid yet, gives a warning with the consequence", (t) => {
  t.deepEqual(saidAt("2026-06-01T00:00:01Z"), lines("has expired (2026-06-01T00:00:00Z)", ":"));
  t.deepEqual(saidAt("2025-12-31T23:59:59Z"), lines("is not valid before 2026-01-01T00:00:00Z", ":"));
});

test("the certificates behind the listener's own are looked at, too", (t) => {
  const chain = lasting.issue({ subject: "CN=backend" }).pem + root.certificate.pem;
  t.is(
    saidAt("2026-07-01T00:00:00Z", chain)[0],
    "listen.tls.certificate has a certificate 2 that has expired (2026-06-01T00:00:00Z): callers refuse it",
  );
});
