import type { CertificateSource } from "../certificate-source.ts";
import { readPercentEncodedPem, readHexSha256 } from "../certificate-encodings.ts";
import { createHeaderSource, type HeaderSourceOptions } from "../header-source.ts";

/**
 * AWS CloudFront, viewer mutual TLS: `CloudFront-Viewer-Cert-Pem`, percent-encoded PEM.
 *
 * The origin request policy must forward it, and only CloudFront may reach the origin. Its addresses are shared by all
 * customers: `from` should be the balancer behind it, or CloudFront's own certificate (origin mutual TLS).
 *
 * @example cloudfront({ from, present: { header: "CloudFront-Viewer-Cert-Present", value: "1" } })
 */
export function cloudfront(options: HeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { header: "cloudfront-viewer-cert-pem", read: readPercentEncodedPem });
}

/**
 * AWS CloudFront: only the thumbprint, `CloudFront-Viewer-Cert-Sha256`, in hexadecimal.
 *
 * @example cloudfrontSha256({ from: trustedProxies([{ certificate: pem }]) })
 */
export function cloudfrontSha256(options: HeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, {
    header: "cloudfront-viewer-cert-sha256",
    read: readHexSha256,
    thumbprintOnly: true,
  });
}
