import type { CertificateSource } from "../certificate-source.ts";
import { readCertificateItem } from "../certificate-encodings.ts";
import { createHeaderSource, type HeaderSourceOptions } from "../header-source.ts";

/**
 * The standard's header: `Client-Cert`, a byte sequence of the certificate's DER between colons (RFC 9440 §2).
 *
 * For HAProxy with a colon before and after `ssl_c_der,base64`, Cloudflare's `cert_rfc9440`, and other proxies that
 * follow the standard. `Client-Cert-Chain` is ignored: tokens are bound to the client's certificate, not to its
 * issuers. Throws a `TypeError` with a `code` for wrong options, like all these sources.
 *
 * @example protect(api, { certificate: rfc9440({ from: trustedProxies(["10.0.0.7"]) }) })
 */
export function rfc9440(options: HeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { header: "client-cert", read: readCertificateItem });
}
