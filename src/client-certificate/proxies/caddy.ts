import type { CertificateSource } from "../certificate-source.ts";
import { readBase64Der, readHexSha256 } from "../certificate-encodings.ts";
import { createHeaderSource, type HeaderSourceOptions, type NamedHeaderSourceOptions } from "../header-source.ts";

/** What Caddy sends of a placeholder that has no value: itself. */
const absent = ["{http.request.tls.client.certificate_der_base64}", "{http.request.tls.client.fingerprint}"];

/**
 * Caddy: bare base64 of the DER, `header_up X-Client-Cert {http.request.tls.client.certificate_der_base64}`.
 *
 * Without a certificate Caddy sends the placeholder as it is written, which is read as none. `certificate_pem` cannot
 * be sent: it has line ends in it, and Caddy answers 502.
 *
 * @example caddy({ from: trustedProxies(["127.0.0.1"]) })
 */
export function caddy(options: HeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { header: "x-client-cert", read: readBase64Der, absent });
}

/**
 * Caddy: the thumbprint alone, in hexadecimal, `{http.request.tls.client.fingerprint}`, in any header.
 *
 * @example caddyFingerprint({ from: trustedProxies(["127.0.0.1"]), header: "X-Client-Cert-Sha256" })
 */
export function caddyFingerprint(options: NamedHeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { read: readHexSha256, absent, thumbprintOnly: true });
}
