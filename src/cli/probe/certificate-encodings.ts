import { hash } from "node:crypto";

type Encode = (der: Uint8Array) => string;

const base64 = (der: Uint8Array): string => Buffer.from(der).toString("base64");

/** PEM with lines of 64 characters, as OpenSSL writes it; the newline at its end too. */
const pem = (der: Uint8Array): string => {
  const lines = base64(der).match(/.{1,64}/g) ?? [];
  return `${["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----"].join("\n")}\n`;
};

const percent = (text: string): string => encodeURIComponent(text);

const sha256 = (der: Uint8Array, form: "hex" | "base64" | "base64url"): string => hash("sha256", der, form);

/** Percent-encoded, but these characters as they are. */
const percentBut = (text: string, ...plain: readonly string[]): string =>
  plain.reduce((encoded, character) => encoded.replaceAll(percent(character), character), percent(text));

/** How front ends write a certificate, or its SHA-256, into a header's value; by a name for each. */
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
  /** Of load balancers of AWS. */
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
