import type { CertificateSource } from "../certificate-source.ts";
import { readBase64Der } from "../certificate-encodings.ts";
import { createHeaderSource, type HeaderSourceOptions } from "../header-source.ts";

/**
 * The convention of ASP.NET Core's certificate forwarding, which others have taken up: `X-Client-Cert`, bare base64 of
 * the DER.
 *
 * @example aspNet({ from: trustedProxies(["10.0.0.7"]) })
 */
export function aspNet(options: HeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { header: "x-client-cert", read: readBase64Der });
}
