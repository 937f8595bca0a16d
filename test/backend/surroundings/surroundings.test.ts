import test from "ava";
import type { ClientSettings } from "../../../src/backend/engine/settings/settings.ts";
import { checkKeySets } from "../../../src/backend/surroundings/check-key-sets.ts";
import { checkValidity } from "../../../src/backend/surroundings/check-validity.ts";
import { createAuthority, createKeyPair, createSelfSigned } from "../../support/certificates.ts";
import { clientSettings, configurationOf, serviceSettings } from "../../support/settings.ts";
import { jwkOf } from "../configuration/a-configuration.ts";

const signing = createKeyPair().publicKey.export({ format: "jwk" });
const withCertificate = jwkOf(createSelfSigned({ subject: "CN=client-b" }));
const key: Partial<ClientSettings> = { tokenAuthMethod: "PRIVATE_KEY_JWT" };
const certificate: Partial<ClientSettings> = { tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH" };

async function said(answer: unknown, settings: Partial<ClientSettings>): Promise<string | undefined> {
  const clients = [clientSettings({ clientId: 1, jwksUri: "https://a.example/jwks", ...settings })];
  const found = await checkKeySets([{ settings: serviceSettings(), clients }], () =>
    answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer as object),
  );
  const [first, ...others] = found;
  if (others.length > 0 || first?.fatal === true) throw new Error("one warning at most");
  return first && `${first.path} ${first.sentence}`;
}

const at = "services[0].clients[0].jwksUri";

test("a key set with a key for the client's method gives no warning", async (t) => {
  t.is(await said({ keys: [signing] }, key), undefined);
  t.is(await said({ keys: [signing] }, { ...key, tokenAuthSignAlg: "ES256" }), undefined);
  t.is(await said({ keys: [signing, withCertificate] }, certificate), undefined);
});

test("a key set without a key for the client's method gives a warning", async (t) => {
  t.is(await said({ keys: [] }, key), `${at} has no key for signatures by RS, PS, ES or EdDSA`);
  t.is(
    await said({ keys: [signing] }, { ...key, tokenAuthSignAlg: "RS256" }),
    `${at} has no key for signatures by RS256`,
  );
  t.is(await said({ keys: [signing] }, certificate), `${at} has no key with x5c: no certificate could ever count`);
  t.is(await said({ keys: [{}] }, key), `${at} gives keys without a kty or with members of a wrong type`);
});

test("a key set that cannot be had gives a warning with the reason and the system's word for it", async (t) => {
  const refused = Object.assign(new Error("connect ECONNREFUSED 192.0.2.1:443"), { code: "ECONNREFUSED" });
  t.is(
    await said(new Error("A client's key set could not be had: it cannot be reached.", { cause: refused }), key),
    `${at} gives no key set now, so the client cannot authenticate: A client's key set could not be had: it cannot be reached. (ECONNREFUSED)`,
  );
  t.is(await said(new Error("No."), key), `${at} gives no key set now, so the client cannot authenticate: No.`);
});

test("the URL of a client whose method needs no key is not requested", async (t) => {
  t.is(await said(new Error("asked"), { tokenAuthMethod: "CLIENT_SECRET_BASIC" }), undefined);
});

test("each URL is asked once, eight at a time and forty at most", async (t) => {
  const uris = Array.from({ length: 45 }, (_, index) => `https://a.example/${index}`);
  const clients = [...uris, ...uris].map((jwksUri, index) => clientSettings({ clientId: index + 1, jwksUri, ...key }));
  const asked: string[] = [];
  let [running, most] = [0, 0];
  const found = await checkKeySets([{ settings: serviceSettings(), clients }], async (uri) => {
    asked.push(uri);
    most = Math.max(most, ++running);
    await new Promise(setImmediate);
    running--;
    return { keys: [signing] };
  });
  t.deepEqual(asked.toSorted(), uris.slice(0, 40).toSorted());
  t.is(most, 8);
  t.deepEqual(
    found.map(({ path, sentence }) => `${path} ${sentence}`),
    ["jwksUri is at more than 40 URLs: 5 were not asked"],
  );
});

const notBefore = new Date("2026-01-01T00:00:00Z");
const notAfter = new Date("2026-06-01T00:00:00Z");
const root = createAuthority({ subject: "CN=Root", notBefore, notAfter });
const lasting = createAuthority({ subject: "CN=Lasting" });
const leaf = lasting.issue({ subject: "CN=backend", notBefore, notAfter });
const registered = createSelfSigned({ subject: "CN=client-b", notBefore, notAfter });

function saidAt(
  instant: string,
  chain = leaf.pem,
  anchors = [lasting.certificate.pem, root.certificate.pem],
): string[] {
  const configuration = configurationOf(
    [
      {
        settings: serviceSettings({ trustedRootCertificates: anchors }),
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

test("each certificate of a file of trust anchors is looked at", (t) => {
  const file = `# ours\n${lasting.certificate.pem}# theirs\n${root.certificate.pem}`;
  t.deepEqual(
    saidAt("2026-07-01T00:00:00Z", undefined, [file]).filter((line) => line.startsWith("services[0].trustedRoot")),
    [
      "services[0].trustedRootCertificates[0] has a certificate 2 that has expired (2026-06-01T00:00:00Z): no client certificate is accepted whose path ends there",
    ],
  );
});
