import type { CertificateSource } from "../certificate-source.ts";
import { readCertificateItem, readBase64Sha256 } from "../certificate-encodings.ts";
import { createHeaderSource, type NamedHeaderSourceOptions } from "../header-source.ts";

/**
 * Google Cloud's Application Load Balancer: a custom header with `{client_cert_leaf}`, as RFC 9440 writes it.
 *
 * A certificate above 16 KB is left out: forward `{client_cert_present}` and name it as `present`, so that it is not
 * taken for none. In the mode ALLOW_INVALID_OR_MISSING_CLIENT_CERT forward `{client_cert_chain_verified}` as `verify`
 * when more than the binding hangs on the certificate.
 *
 * @example gcp({ from, header: "X-Client-Cert-Leaf", present: { header: "X-Client-Cert-Present", value: "true" } })
 */
export function gcp(options: NamedHeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { read: readCertificateItem });
}

/**
 * Google Cloud's Application Load Balancer: the thumbprint alone, `{client_cert_sha256_fingerprint}`, in base64 with or
 * without padding.
 *
 * @example gcpFingerprint({ from, header: "X-Client-Cert-SHA256-Fingerprint" })
 */
export function gcpFingerprint(options: NamedHeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { read: readBase64Sha256, thumbprintOnly: true });
}
