import type { CertificateSource } from "../certificate-source.ts";
import { readCertificateItem, readBase64Sha256 } from "../certificate-encodings.ts";
import { createHeaderSource, type NamedHeaderSourceOptions } from "../header-source.ts";

/**
 * Google Cloud's Application Load Balancer: a custom header with `{client_cert_leaf}`, in the form of RFC 9440.
 *
 * The balancer omits a certificate above 16 KB: forward `{client_cert_present}` and name it as `present`, so that this
 * is not read as no certificate. In the mode ALLOW_INVALID_OR_MISSING_CLIENT_CERT forward
 * `{client_cert_chain_verified}` as `verify` if anything besides the binding depends on the certificate.
 *
 * @example gcp({ from, header: "X-Client-Cert-Leaf", present: { header: "X-Client-Cert-Present", value: "true" } })
 */
export function gcp(options: NamedHeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { read: readCertificateItem });
}

/**
 * Google Cloud's Application Load Balancer: only the thumbprint, `{client_cert_sha256_fingerprint}`, in base64 with or
 * without padding.
 *
 * @example gcpFingerprint({ from, header: "X-Client-Cert-SHA256-Fingerprint" })
 */
export function gcpFingerprint(options: NamedHeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { read: readBase64Sha256, thumbprintOnly: true });
}
