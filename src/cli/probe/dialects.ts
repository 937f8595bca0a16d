import { hash } from "node:crypto";

type Encode = (der: Uint8Array) => string;

const base64 = (der: Uint8Array): string => Buffer.from(der).toString("base64");

/** PEM as OpenSSL writes it: lines of 64 characters and a final newline. */
const pem = (der: Uint8Array): string => {
  const lines = base64(der).match(/.{1,64}/g) ?? [];
  return `${["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----"].join("\n")}\n`;
};

const percent = (text: string): string => encodeURIComponent(text);

const sha256 = (der: Uint8Array, form: "hex" | "base64" | "base64url"): string => hash("sha256", der, form);

/** Percent-encoded, except for these characters. */
const percentBut = (text: string, ...plain: readonly string[]): string =>
  plain.reduce((encoded, character) => encoded.replaceAll(percent(character), character), percent(text));

/** How front ends encode a certificate, or its SHA-256, in a header; by name. */
export const certificateEncodings = {
  /** RFC 9440 §2.1: a byte sequence of RFC 8941. */
  "byte sequence": (der) => `:${base64(der)}:`,
  base64,
  "quoted base64": (der) => `"${base64(der)}"`,
  "percent-encoded base64": (der) => percent(base64(der)),
  "base64 of PEM": (der) => Buffer.from(pem(der)).toString("base64"),
  /** nginx's `$ssl_client_escaped_cert`. */
  "percent-encoded PEM": (der) => percent(pem(der)),
  /** Apache's `escape` function. */
  "percent-encoded PEM, + plain": (der) => percentBut(pem(der), "+"),
  /** AWS load balancers. */
  "percent-encoded PEM, + = / plain": (der) => percentBut(pem(der), "+", "=", "/"),
  "form-encoded PEM": (der) => percent(pem(der)).replaceAll("%20", "+"),
  /** Apache's `%{SSL_CLIENT_CERT}s`. */
  "PEM, blanks for newlines": (der) => pem(der).replaceAll("\n", " "),
  "PEM without newlines": (der) => pem(der).replaceAll("\n", ""),
  "SHA-256, hexadecimal": (der) => sha256(der, "hex"),
  "SHA-256, base64": (der) => sha256(der, "base64"),
  "SHA-256, base64url": (der) => sha256(der, "base64url"),
  "XFCC with Hash": (der) => `By=spiffe://cluster.local/ns/a/sa/b;Hash=${sha256(der, "hex")};Subject=""`,
  "XFCC with Hash, of two hops": (der) => `Hash=${sha256(der, "hex")},Hash=${sha256(der, "hex")}`,
  "XFCC with Hash, Cert and Chain": (der) =>
    `Hash=${sha256(der, "hex")};Cert="${percent(pem(der))}";Chain="${percent(pem(der))}"`,
} as const satisfies Record<string, Encode>;

export type CertificateEncoding = keyof typeof certificateEncodings;

/**
 * A certificate as the value of a header.
 *
 * @example encodeCertificate(der, "byte sequence") // ":MIID3TCC…:"
 */
export function encodeCertificate(der: Uint8Array, encoding: CertificateEncoding): string {
  return certificateEncodings[encoding](der);
}

/** A spelling of a header that a front end might fail to remove. */
export interface Spelling {
  readonly name: string;
  /** Changes the header's name; default: as documented. */
  readonly rename?: (name: string) => string;
  /** The lines of the header, without line ends; default: one line "name: value". */
  readonly lines?: (name: string, value: string, decoy: string) => readonly string[];
  /** It violates HTTP's grammar (RFC 9112 §5), so a connection that ends without an answer is a refusal. */
  readonly malformed?: true;
}

const line = (name: string, value: string): string => `${name}: ${value}`;

/** All spellings to try; the last ones violate the grammar. */
export const spellings: readonly Spelling[] = [
  { name: "as documented" },
  { name: "lower case", rename: (name) => name.toLowerCase() },
  { name: "upper case", rename: (name) => name.toUpperCase() },
  { name: "underscores", rename: (name) => name.replaceAll("-", "_") },
  // The last of several hyphens: a front end that removes both forms above may not remove X-SSL_Cert.
  { name: "one underscore", rename: (name) => name.replace(/(-.*)-/, "$1_") },
  { name: "twice, forged first", lines: (name, value, decoy) => [line(name, value), line(name, decoy)] },
  { name: "twice, forged last", lines: (name, value, decoy) => [line(name, decoy), line(name, value)] },
  { name: "folded", lines: (name, value) => [`${name}:`, ` ${value}`], malformed: true },
  {
    name: "folded into another header",
    lines: (name, value) => ["X-Certbound-Probe: 1", ` ${line(name, value)}`],
    malformed: true,
  },
  { name: "blank before the colon", lines: (name, value) => [`${name} : ${value}`], malformed: true },
];

/**
 * The header lines of a forgery in a spelling, with the claimed certificate and the decoy for repeated headers.
 *
 * @example forgedLines({ header: "Client-Cert", encoding: "byte sequence" }, { name: "as documented" }, { der }) // ["Client-Cert: :MIID…:"]
 */
export function forgedLines(
  { header, encoding, beside = {} }: Forgery,
  { rename = (name) => name, lines = (name, value) => [line(name, value)] }: Spelling,
  { der, decoy }: { readonly der: Uint8Array; readonly decoy?: Uint8Array | undefined },
): readonly string[] {
  const claimed = encodeCertificate(der, encoding);
  const other = decoy === undefined ? "" : encodeCertificate(decoy, encoding);
  return [
    ...lines(rename(header), claimed, other),
    ...Object.entries(beside).map(([name, value]) => line(rename(name), value)),
  ];
}

/** How one kind of front end sends the client's certificate to an API. */
export interface ForgedDialect {
  readonly name: string;
  readonly forgeries: readonly Forgery[];
}

/** A forged header, the encoding of the certificate in it, and related headers of the front end. */
export interface Forgery {
  readonly header: string;
  readonly encoding: CertificateEncoding;
  readonly beside?: Readonly<Record<string, string>>;
}

const escaped = "percent-encoded PEM";
const verified = { "X-SSL-Client-Verify": "SUCCESS" };
const checked = {
  "X-Client-Cert-Present": "true",
  "X-Client-Cert-Verified": "true",
  "X-Client-Cert-Chain-Verified": "true",
  "X-Client-Cert-Error": "",
};
const certVerified = { "X-Cert-Verified": "true", "X-Cert-Revoked": "false" };

/**
 * All known dialects of certificate headers, with the names in their documents and examples.
 */
export const dialects: readonly ForgedDialect[] = [
  {
    name: "rfc9440",
    forgeries: [
      { header: "Client-Cert", encoding: "byte sequence", beside: { ...checked, ...verified, ...certVerified } },
    ],
  },
  {
    name: "nginx",
    forgeries: [
      { header: "X-SSL-Cert", encoding: escaped, beside: { ...verified, "X-SSL-Verify": "SUCCESS" } },
      { header: "X-SSL-Client-Cert", encoding: escaped, beside: verified },
      { header: "ssl-client-cert", encoding: escaped, beside: { "ssl-client-verify": "SUCCESS" } },
    ],
  },
  {
    name: "apache",
    forgeries: [
      { header: "X-SSL-Cert", encoding: "PEM, blanks for newlines", beside: verified },
      { header: "X-SSL-Client-Cert", encoding: "PEM, blanks for newlines", beside: verified },
      { header: "SSL-Client-Cert", encoding: "PEM, blanks for newlines", beside: { "SSL-Client-Verify": "SUCCESS" } },
      { header: "X-SSL-Cert", encoding: "percent-encoded PEM, + plain", beside: verified },
      { header: "X-Client-Certificate", encoding: "percent-encoded PEM, + plain", beside: verified },
    ],
  },
  {
    name: "haproxy",
    forgeries: [
      { header: "X-SSL-Client-Cert", encoding: "base64", beside: { "X-SSL-Client-Verify": "0" } },
      { header: "X-SSL-Client-Cert", encoding: "quoted base64", beside: { "X-SSL-Client-Verify": "0" } },
      { header: "X-SSL-Client-DER", encoding: "base64", beside: { "X-SSL-Client-Verify": "0" } },
      { header: "X-SSL-Client-SHA256", encoding: "SHA-256, hexadecimal", beside: { "X-SSL-Client-Verify": "0" } },
    ],
  },
  {
    name: "envoy",
    forgeries: [
      { header: "X-Forwarded-Client-Cert", encoding: "XFCC with Hash" },
      { header: "X-Forwarded-Client-Cert", encoding: "XFCC with Hash, Cert and Chain" },
      { header: "X-Forwarded-Client-Cert", encoding: "XFCC with Hash, of two hops" },
    ],
  },
  { name: "gorouter", forgeries: [{ header: "X-Forwarded-Client-Cert", encoding: "base64" }] },
  {
    name: "traefik",
    forgeries: [
      { header: "X-Forwarded-Tls-Client-Cert", encoding: "base64" },
      { header: "X-Forwarded-Tls-Client-Cert", encoding: "percent-encoded base64" },
    ],
  },
  {
    name: "aws-alb",
    forgeries: [
      { header: "X-Amzn-Mtls-Clientcert-Leaf", encoding: "percent-encoded PEM, + = / plain" },
      { header: "X-Amzn-Mtls-Clientcert", encoding: "percent-encoded PEM, + = / plain" },
    ],
  },
  {
    name: "cloudfront",
    forgeries: [
      { header: "CloudFront-Viewer-Cert-Pem", encoding: escaped, beside: { "CloudFront-Viewer-Cert-Present": "1" } },
      {
        header: "CloudFront-Viewer-Cert-Sha256",
        encoding: "SHA-256, hexadecimal",
        beside: { "CloudFront-Viewer-Cert-Present": "1" },
      },
    ],
  },
  {
    name: "gcp",
    forgeries: [
      { header: "X-Client-Cert-Leaf", encoding: "byte sequence", beside: checked },
      { header: "X-Client-Cert-SHA256-Fingerprint", encoding: "SHA-256, base64", beside: checked },
      { header: "X-Client-Cert-Fingerprint", encoding: "SHA-256, base64", beside: checked },
    ],
  },
  { name: "azure", forgeries: [{ header: "X-ARR-ClientCert", encoding: "base64" }] },
  {
    name: "azure-application-gateway",
    forgeries: [
      { header: "X-ARR-ClientCert", encoding: "form-encoded PEM" },
      { header: "X-ARR-ClientCert", encoding: escaped },
      { header: "X-Client-Cert", encoding: "form-encoded PEM" },
      { header: "X-Client-Certificate", encoding: escaped },
      { header: "X-Client-Certificate", encoding: "PEM without newlines" },
      { header: "X-Client-Certificate", encoding: "PEM, blanks for newlines" },
    ],
  },
  { name: "asp-net", forgeries: [{ header: "X-Client-Cert", encoding: "base64" }] },
  {
    name: "cloudflare",
    forgeries: [
      {
        header: "Cf-Client-Cert-Der-Base64",
        encoding: "base64",
        beside: { "Cf-Cert-Verified": "true", ...certVerified },
      },
      {
        header: "Cf-Client-Cert-Sha256",
        encoding: "SHA-256, hexadecimal",
        beside: { "Cf-Cert-Verified": "true", ...certVerified },
      },
    ],
  },
  {
    name: "caddy",
    forgeries: [
      { header: "X-Client-Cert", encoding: "base64" },
      { header: "X-Client-Fingerprint", encoding: "SHA-256, hexadecimal" },
      { header: "X-Client-Cert-Sha256", encoding: "SHA-256, hexadecimal" },
    ],
  },
  {
    name: "kong",
    forgeries: [
      { header: "X-Client-Cert", encoding: escaped },
      { header: "X-Client-Cert", encoding: "base64" },
    ],
  },
  {
    name: "wso2",
    forgeries: [
      { header: "x-wso2-mtls-cert", encoding: "PEM without newlines" },
      { header: "x-wso2-mtls-cert", encoding: escaped },
      { header: "x-wso2-mtls-cert", encoding: "base64 of PEM" },
    ],
  },
  {
    name: "authlete",
    forgeries: [
      { header: "X-Ssl-Cert", encoding: escaped },
      { header: "X-Ssl-Cert", encoding: "PEM, blanks for newlines" },
    ],
  },
];

/** A dialect for any other header, with the certificate in every encoding, and all related headers. */
export function dialectOfHeader(header: string): ForgedDialect {
  const encodings = Object.keys(certificateEncodings) as CertificateEncoding[];
  const beside = { ...checked, ...certVerified, ...verified, "X-SSL-Verify": "SUCCESS" };
  return { name: header, forgeries: encodings.map((encoding) => ({ header, encoding, beside })) };
}
