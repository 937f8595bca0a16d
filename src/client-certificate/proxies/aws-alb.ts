import type { CertificateSource } from "../certificate-source.ts";
import { readPercentEncodedPem, readPercentEncodedPemChain } from "../certificate-encodings.ts";
import { createHeaderSource, type HeaderSourceOptions } from "../header-source.ts";

/**
 * AWS Application Load Balancer, mutual TLS in verify mode: `X-Amzn-Mtls-Clientcert-Leaf`, percent-encoded PEM in which
 * `+`, `=` and `/` are not encoded.
 *
 * @example awsAlb({ from: trustedProxies(["10.0.1.0/24", "10.0.2.0/24"]) })
 */
export function awsAlb(options: HeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { header: "x-amzn-mtls-clientcert-leaf", read: readPercentEncodedPem });
}

/**
 * AWS Application Load Balancer, mutual TLS in passthrough mode: `X-Amzn-Mtls-Clientcert`, the client's certificate
 * followed by its issuers.
 *
 * The balancer verifies only the handshake: enough for certificate-bound tokens, not for an identity.
 *
 * @example awsAlbPassthrough({ from: trustedProxies(["10.0.1.0/24"]) })
 */
export function awsAlbPassthrough(options: HeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { header: "x-amzn-mtls-clientcert", read: readPercentEncodedPemChain });
}
