import type { CertificateSource } from "../certificate-source.ts";
import { readBase64Der } from "../certificate-encodings.ts";
import { createHeaderSource, type HeaderSourceOptions } from "../header-source.ts";

/**
 * ASP.NET Core's certificate forwarding, a convention that other products use, too: `X-Client-Cert`, plain base64 of
 * the DER.
 *
 * @example aspNet({ from: trustedProxies(["10.0.0.7"]) })
 */
export function aspNet(options: HeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { header: "x-client-cert", read: readBase64Der });
}
