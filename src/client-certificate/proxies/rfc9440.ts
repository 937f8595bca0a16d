import type { CertificateSource } from "../certificate-source.ts";
import { readCertificateItem } from "../certificate-encodings.ts";
import { createHeaderSource, type HeaderSourceOptions } from "../header-source.ts";

/**
 * The standard's header: `Client-Cert`, a byte sequence of the certificate's DER between colons (RFC 9440 §2).
 *
 * For HAProxy with a colon on either side of `ssl_c_der,base64`, Cloudflare's `cert_rfc9440`, and whoever follows the
 * standard. `Client-Cert-Chain` is not looked at: the binding is to the client's certificate and to nothing above it.
 * Throws a `TypeError` with a `code` for wrong options, as all these sources do.
 *
 * @example protect(api, { certificate: rfc9440({ from: trustedProxies(["10.0.0.7"]) }) })
 */
export function rfc9440(options: HeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { header: "client-cert", read: readCertificateItem });
}
