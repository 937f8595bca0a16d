import type { CertificateSource } from "../certificate-source.ts";
import { readBase64Der, readHexSha256 } from "../certificate-encodings.ts";
import { createHeaderSource, type HeaderSourceOptions } from "../header-source.ts";

/**
 * Cloudflare with `client_certificate_forwarding`: `Cf-Client-Cert-Der-Base64`, plain base64 of the DER.
 *
 * Cloudflare's addresses serve all its customers, so they prove nothing: `from` should name the certificate that it
 * presents to your origin (authenticated origin pulls with your own certificate), or a tunnel. For transform rules that
 * write `cf.tls_client_auth.cert_rfc9440` into a header, use `rfc9440`.
 *
 * @example cloudflare({ from: trustedProxies([{ certificate: pem }]) })
 */
export function cloudflare(options: HeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { header: "cf-client-cert-der-base64", read: readBase64Der });
}

/**
 * Cloudflare: only the thumbprint, `Cf-Client-Cert-Sha256`, in hexadecimal.
 *
 * @example cloudflareSha256({ from: trustedProxies([{ certificate: pem }]) })
 */
export function cloudflareSha256(options: HeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { header: "cf-client-cert-sha256", read: readHexSha256, thumbprintOnly: true });
}
