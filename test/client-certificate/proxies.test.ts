import test from "ava";
import {
  apache,
  aspNet,
  awsAlb,
  awsAlbPassthrough,
  azure,
  azureApplicationGateway,
  caddy,
  caddyFingerprint,
  type CertificateSource,
  cloudflare,
  cloudflareSha256,
  cloudfront,
  cloudfrontSha256,
  envoy,
  gcp,
  gcpFingerprint,
  gorouter,
  haproxy,
  haproxySha256,
  kong,
  nginx,
  rfc9440,
  traefik,
  wso2,
} from "../../src/resource-server/index.ts";
import { createSelfSigned } from "../support/certificates.ts";
import { listenFor, loopback as from } from "../support/header-listener.ts";
import { certificateVectors, der, sha256Hex, vector, x5tS256 } from "./certificate-vectors.ts";

const whole = { x5tS256, octets: der.length };
const thumbprintAlone = { x5tS256, octets: 0 };
const other = createSelfSigned({ subject: "CN=issuer" });

/** The encodings that there are, and the vectors that are written in each. */
const encodings = {
  byteSequence: ["rfc9440", "gcp_leaf"],
  base64: ["haproxy", "cloudfoundry", "azure_app", "cloudflare", "caddy_der"],
  quotedBase64: ["haproxy_quoted"],
  base64Chain: ["haproxy", "cloudfoundry", "azure_app", "cloudflare", "caddy_der", "traefik"],
  percentBase64: ["traefik_old", "haproxy", "cloudfoundry", "azure_app", "cloudflare", "caddy_der"],
  percentPem: ["nginx_escaped", "apache_escape_fn", "aws_leaf", "cloudfront", "go_queryescape", "kong_url"],
  flattenedPem: ["apache_s", "wso2_oneline"],
  xfcc: ["envoy_xfcc", "envoy_istio_default"],
  hex: ["cloudflare_sha"],
  base64Hash: ["gcp_fp"],
} as const;

const header = "X-Cert";

/** Every source in every of its settings: what it reads of the vectors, and its header where that has a default. */
const sources: Record<string, readonly [CertificateSource, keyof typeof encodings, usual?: string]> = {
  rfc9440: [rfc9440({ from }), "byteSequence", "Client-Cert"],
  nginx: [nginx({ from, header }), "percentPem"],
  apache: [apache({ from, header }), "flattenedPem"],
  "apache, escaped": [apache({ from, header, encoding: "percent-encoded" }), "percentPem"],
  haproxy: [haproxy({ from, header }), "base64"],
  "haproxy, quoted": [haproxy({ from, header, encoding: "quoted-base64" }), "quotedBase64"],
  haproxySha256: [haproxySha256({ from, header }), "hex"],
  envoy: [envoy({ from }), "xfcc", "X-Forwarded-Client-Cert"],
  gorouter: [gorouter({ from }), "base64", "X-Forwarded-Client-Cert"],
  traefik: [traefik({ from }), "base64Chain", "X-Forwarded-Tls-Client-Cert"],
  "traefik before 2.9.4": [
    traefik({ from, encoding: "percent-encoded" }),
    "percentBase64",
    "X-Forwarded-Tls-Client-Cert",
  ],
  awsAlb: [awsAlb({ from }), "percentPem", "X-Amzn-Mtls-Clientcert-Leaf"],
  awsAlbPassthrough: [awsAlbPassthrough({ from }), "percentPem", "X-Amzn-Mtls-Clientcert"],
  cloudfront: [cloudfront({ from }), "percentPem", "CloudFront-Viewer-Cert-Pem"],
  cloudfrontSha256: [cloudfrontSha256({ from }), "hex", "CloudFront-Viewer-Cert-Sha256"],
  gcp: [gcp({ from, header }), "byteSequence"],
  gcpFingerprint: [gcpFingerprint({ from, header }), "base64Hash"],
  azure: [azure({ from }), "base64", "X-ARR-ClientCert"],
  "azureApplicationGateway, escaped": [
    azureApplicationGateway({ from, header, encoding: "percent-encoded" }),
    "percentPem",
  ],
  "azureApplicationGateway, flattened": [
    azureApplicationGateway({ from, header, encoding: "flattened" }),
    "flattenedPem",
  ],
  aspNet: [aspNet({ from }), "base64", "X-Client-Cert"],
  cloudflare: [cloudflare({ from }), "base64", "Cf-Client-Cert-Der-Base64"],
  cloudflareSha256: [cloudflareSha256({ from }), "hex", "Cf-Client-Cert-Sha256"],
  caddy: [caddy({ from }), "base64", "X-Client-Cert"],
  caddyFingerprint: [caddyFingerprint({ from, header }), "hex"],
  kong: [kong({ from }), "percentPem", "X-Client-Cert"],
  "kong, base64": [kong({ from, encoding: "base64" }), "base64", "X-Client-Cert"],
  wso2: [wso2({ from }), "flattenedPem", "x-wso2-mtls-cert"],
  "wso2, escaped": [wso2({ from, encoding: "percent-encoded" }), "percentPem", "x-wso2-mtls-cert"],
};

for (const [name, [source, encoding, usual = header]] of Object.entries(sources)) {
  test(`9440-x: ${name} reads its own encoding and none of the other proxies'`, async (t) => {
    const { ask } = await listenFor(t, source);
    const readable: readonly string[] = encodings[encoding];
    for (const [vectorName, { value }] of Object.entries(certificateVectors.vectors)) {
      // Not even Node reads this one; `header-mechanics` shows it.
      if (vectorName === "nginx_raw_folded") continue;
      const found = (await ask([usual, value])) as Record<string, unknown> | null;
      if (vectorName === "apache_absent") t.is(found, null);
      else if (!readable.includes(vectorName)) {
        t.deepEqual(Object.keys(found ?? {}), ["unreadable"], `${vectorName} is not its own`);
        t.regex(String(found?.["unreadable"]), /^[a-z0-9_]+$/);
      } else if (encoding === "hex" || encoding === "base64Hash" || vectorName === "envoy_istio_default") {
        t.deepEqual(found, thumbprintAlone, vectorName);
      } else t.deepEqual(found, whole, vectorName);
    }
  });

  test(`${name}: no header, an empty one, "(null)" and "-" are no certificate`, async (t) => {
    const { ask } = await listenFor(t, source);
    t.is(await ask(), null);
    for (const nothing of ["", "(null)", "-"]) t.is(await ask([usual, nothing]), null);
    const wrong = [
      "null",
      "(null",
      ":",
      "::",
      ":-:",
      "--",
      "=",
      "%",
      "%41",
      '"',
      "\\",
      "A",
      "AAAA",
      "é",
      "-----BEGIN CERTIFICATE-----",
      "MII",
      "{}",
      "0",
    ];
    for (const value of wrong) {
      const found = (await ask([usual, value])) as Record<string, unknown> | null;
      t.deepEqual(Object.keys(found ?? {}), ["unreadable"], value);
    }
  });

  test(`${name}: a SHA-1 fingerprint is refused by name`, async (t) => {
    const { ask } = await listenFor(t, source);
    const sha1 = "5b0f9fdc7f2ab2d1e4a0c5d1f06f4b9ee2d83c11";
    for (const value of [sha1, sha1.toUpperCase(), sha1.replaceAll(/(..)(?=.)/g, "$1:")]) {
      t.deepEqual(await ask([usual, value]), { unreadable: "sha1_fingerprint" });
    }
  });
}

test("HAProxy with quotes writes two of them, or a dash in them, where there is no certificate", async (t) => {
  const { ask } = await listenFor(t, haproxy({ from, header, encoding: "quoted-base64" }));
  for (const nothing of ['""', '"-"']) t.is(await ask([header, nothing]), null);
  t.deepEqual(await ask([header, '"AAAA']), { unreadable: "bad_base64" });
});

test("Caddy sends its placeholder as it is written where there is no certificate", async (t) => {
  const certificate = await listenFor(t, caddy({ from }));
  t.is(await certificate.ask(["X-Client-Cert", "{http.request.tls.client.certificate_der_base64}"]), null);
  t.deepEqual(await certificate.ask(["X-Client-Cert", "{http.request.tls.client.certificate_pem}"]), {
    unreadable: "bad_base64",
  });
  const fingerprint = await listenFor(t, caddyFingerprint({ from, header }));
  t.is(await fingerprint.ask([header, "{http.request.tls.client.fingerprint}"]), null);
});

test("HAProxy's base64 between colons is RFC 9440, and colons around nothing are not 'no certificate'", async (t) => {
  const { ask } = await listenFor(t, rfc9440({ from }));
  t.deepEqual(await ask(["Client-Cert", `:${vector("haproxy").value}:`]), whole);
  t.deepEqual(await ask(["Client-Cert", "::"]), { unreadable: "empty" });
});

test("Traefik: the first certificate is the client's, all must be readable, ten at most", async (t) => {
  const { ask } = await listenFor(t, traefik({ from }));
  const name = "X-Forwarded-Tls-Client-Cert";
  const leaf = der.toString("base64");
  const issuer = other.der.toString("base64");
  t.deepEqual(await ask([name, `${leaf},${issuer}`]), whole);
  t.deepEqual(await ask([name, `${issuer},${leaf}`]), { x5tS256: other.x5tS256, octets: other.der.length });
  t.deepEqual(await ask([name, `${leaf},AAAA`]), { unreadable: "not_der" });
  t.deepEqual(await ask([name, `${leaf},`]), { unreadable: "empty" });
  t.deepEqual(await ask([name, `,${leaf}`]), { unreadable: "empty" });
  t.deepEqual(await ask([name, `${leaf}, ${leaf}`]), { unreadable: "bad_base64" });
  t.deepEqual(await ask([name, Array(10).fill(issuer).join()]), { x5tS256: other.x5tS256, octets: other.der.length });
  t.deepEqual(await ask([name, Array(11).fill(issuer).join()]), { unreadable: "too_large" });
});

test("Traefik's Info header has no fingerprint in it and is never looked at", async (t) => {
  const { ask } = await listenFor(t, traefik({ from }));
  t.is(await ask(["X-Forwarded-Tls-Client-Cert-Info", "Subject%3D%22CN%3Da%22"]), null);
});

test("AWS passthrough: the first certificate is the client's, all must be readable, ten at most", async (t) => {
  const { ask } = await listenFor(t, awsAlbPassthrough({ from }));
  const name = "X-Amzn-Mtls-Clientcert";
  const escaped = (pem: string): string => pem.replaceAll(" ", "%20").replaceAll("\n", "%0A");
  const leaf = vector("aws_leaf").value;
  t.deepEqual(await ask([name, leaf + escaped(other.pem)]), whole);
  t.deepEqual(await ask([name, leaf.replace(/%0A$/, "") + escaped(other.pem)]), whole);
  t.deepEqual(await ask([name, escaped(other.pem) + leaf]), { x5tS256: other.x5tS256, octets: other.der.length });
  t.deepEqual(await ask([name, `${leaf}AAAA`]), { unreadable: "not_pem" });
  t.deepEqual(await ask([name, `AAAA${leaf}`]), { unreadable: "text_outside" });
  t.deepEqual(await ask([name, leaf + escaped(other.pem).replace("MII", "M!I")]), { unreadable: "bad_base64" });
  t.deepEqual(await ask([name, escaped(other.pem).repeat(10)]), { x5tS256: other.x5tS256, octets: other.der.length });
  t.deepEqual(await ask([name, escaped(other.pem).repeat(11)]), { unreadable: "too_large" });
  t.deepEqual(await ask([name, leaf + escaped(other.key)]), { unreadable: "private_key" });
});

test("where one certificate is due, two PEM blocks are refused", async (t) => {
  const two = other.pem + other.pem;
  const { ask } = await listenFor(t, nginx({ from, header }));
  t.deepEqual(await ask([header, encodeURIComponent(two)]), { unreadable: "several_certificates" });
  const spaces = await listenFor(t, apache({ from, header }));
  t.deepEqual(await spaces.ask([header, two.replaceAll("\n", " ")]), { unreadable: "several_certificates" });
});

test("a plus sign is data, encoded or not; only in the words of a marker it is Go's blank", async (t) => {
  const { ask } = await listenFor(t, awsAlb({ from }));
  const name = "X-Amzn-Mtls-Clientcert-Leaf";
  const { value } = vector("aws_leaf");
  t.true(value.includes("+"));
  t.deepEqual(await ask([name, value.replaceAll("+", "%2B")]), whole);
  t.deepEqual(await ask([name, value.replaceAll("+", "%20")]), { unreadable: "bad_base64" });
  t.deepEqual(await ask([name, vector("go_queryescape").value]), whole);
});

test("GCP's fingerprint has padding or has not", async (t) => {
  const { ask } = await listenFor(t, gcpFingerprint({ from, header }));
  t.deepEqual(await ask([header, vector("gcp_fp").value]), thumbprintAlone);
  t.deepEqual(await ask([header, `${vector("gcp_fp").value}=`]), thumbprintAlone);
  t.deepEqual(await ask([header, `${vector("gcp_fp").value}==`]), { unreadable: "not_sha256" });
  t.deepEqual(await ask([header, x5tS256]), { unreadable: "not_sha256" });
});

test("a thumbprint in hexadecimal is read in either case, and in nothing else", async (t) => {
  const { ask } = await listenFor(t, cloudflareSha256({ from }));
  const name = "Cf-Client-Cert-Sha256";
  t.deepEqual(await ask([name, sha256Hex.toUpperCase()]), thumbprintAlone);
  for (const value of [
    sha256Hex.slice(1),
    `${sha256Hex}0`,
    sha256Hex.replaceAll(/(..)(?=.)/g, "$1:"),
    `0x${sha256Hex.slice(2)}`,
    x5tS256,
  ]) {
    t.deepEqual(await ask([name, value]), { unreadable: "not_sha256" });
  }
});
