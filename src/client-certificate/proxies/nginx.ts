import type { CertificateSource } from "../certificate-source.ts";
import { readPercentEncodedPem } from "../certificate-encodings.ts";
import { createHeaderSource, type NamedHeaderSourceOptions } from "../header-source.ts";

/**
 * nginx: percent-encoded PEM, `proxy_set_header X-SSL-Cert $ssl_client_escaped_cert`, in any header (ingress-nginx:
 * `ssl-client-cert`).
 *
 * With `verify: { header: "X-SSL-Verify", value: "SUCCESS" }` only certificates that nginx verified are accepted
 * (`$ssl_client_verify`). Not for `$ssl_client_cert`, whose line ends Node rejects with 400, nor for
 * `$ssl_client_fingerprint`, which is SHA-1.
 *
 * @example nginx({ from: trustedProxies(["127.0.0.1"]), header: "X-SSL-Cert" })
 */
export function nginx(options: NamedHeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { read: readPercentEncodedPem });
}
