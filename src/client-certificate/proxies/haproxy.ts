import { type CertificateSource, unreadable } from "../certificate-source.ts";
import { type CertificateReading, readBase64Der, readHexSha256 } from "../certificate-encodings.ts";
import { createHeaderSource, givenOptions, type NamedHeaderSourceOptions, readerFor } from "../header-source.ts";

/** The options of `haproxy`. */
export interface HaproxyOptions extends NamedHeaderSourceOptions {
  /** `base64` (default): `%[ssl_c_der,base64]`. `quoted-base64`: the same with `%{+Q}[…]`. */
  readonly encoding?: "base64" | "quoted-base64";
}

const readers = { base64: readBase64Der, "quoted-base64": readQuotedBase64 };

/**
 * HAProxy: plain base64 of the DER, `http-request set-header X-SSL-Client-Cert %[ssl_c_der,base64] if { ssl_c_used }`,
 * in any header. Delete the client's own first, on every frontend.
 *
 * @example haproxy({ from: trustedProxies(["unix"]), header: "X-SSL-Client-Cert" })
 */
export function haproxy(options: HaproxyOptions): CertificateSource {
  const read = readerFor(readers, givenOptions(options).encoding ?? "base64");
  return createHeaderSource(options, { read, absent: ['""', '"-"'], options: ["encoding"] });
}

/**
 * HAProxy: only the thumbprint, in hexadecimal, `%[ssl_c_der,sha2(256),hex]`, in any header; not `ssl_c_sha1`.
 *
 * @example haproxySha256({ from: trustedProxies(["unix"]), header: "X-SSL-Client-SHA256" })
 */
export function haproxySha256(options: NamedHeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { read: readHexSha256, thumbprintOnly: true });
}

function readQuotedBase64(value: string): CertificateReading {
  const inner = /^"([^"]*)"$/.exec(value)?.[1];
  return inner === undefined ? unreadable("bad_base64") : readBase64Der(inner);
}
