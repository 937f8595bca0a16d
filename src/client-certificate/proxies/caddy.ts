import type { CertificateSource } from "../certificate-source.ts";
import { readBase64Der, readHexSha256 } from "../certificate-encodings.ts";
import { createHeaderSource, type HeaderSourceOptions, type NamedHeaderSourceOptions } from "../header-source.ts";

/** Caddy sends a placeholder without a value as it is written. */
const absent = ["{http.request.tls.client.certificate_der_base64}", "{http.request.tls.client.fingerprint}"];

/**
 * Caddy: plain base64 of the DER, `header_up X-Client-Cert {http.request.tls.client.certificate_der_base64}`.
 *
 * Without a certificate Caddy sends the placeholder itself, which is read as no certificate. `certificate_pem` cannot
 * be sent: it contains line ends, and Caddy answers 502.
 *
 * @example caddy({ from: trustedProxies(["127.0.0.1"]) })
 */
export function caddy(options: HeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { header: "x-client-cert", read: readBase64Der, absent });
}

/**
 * Caddy: only the thumbprint, in hexadecimal, `{http.request.tls.client.fingerprint}`, in any header.
 *
 * @example caddyFingerprint({ from: trustedProxies(["127.0.0.1"]), header: "X-Client-Cert-Sha256" })
 */
export function caddyFingerprint(options: NamedHeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { read: readHexSha256, absent, thumbprintOnly: true });
}
