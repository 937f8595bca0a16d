import type { CertificateSource } from "../certificate-source.ts";
import { readBase64Der } from "../certificate-encodings.ts";
import { createHeaderSource, type HeaderSourceOptions } from "../header-source.ts";

/**
 * Cloud Foundry's gorouter: `X-Forwarded-Client-Cert` with plain base64 of the DER; not Envoy's list of the same name.
 *
 * `router.forwarded_client_cert` must be `sanitize_set` where gorouter terminates TLS: with `always_forward` clients
 * can write the header.
 *
 * @example gorouter({ from: trustedProxies(["10.0.16.0/24"]) })
 */
export function gorouter(options: HeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { header: "x-forwarded-client-cert", read: readBase64Der });
}
