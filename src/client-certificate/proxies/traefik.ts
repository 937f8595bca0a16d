import type { CertificateSource } from "../certificate-source.ts";
import { readBase64Chain, readPercentEncodedBase64 } from "../certificate-encodings.ts";
import { createHeaderSource, givenOptions, type HeaderSourceOptions, readerFor } from "../header-source.ts";

/** The options of `traefik`. */
export interface TraefikOptions extends HeaderSourceOptions {
  /** `base64` (default): Traefik 2.9.4 and later, v3. `percent-encoded`: earlier versions, one certificate. */
  readonly encoding?: "base64" | "percent-encoded";
}

const readers = { base64: readBase64Chain, "percent-encoded": readPercentEncodedBase64 };

/**
 * Traefik: `X-Forwarded-Tls-Client-Cert` of the middleware `passTLSClientCert` with `pem: true`; plain base64, the
 * client's certificate followed by its issuers, separated by commas.
 *
 * The middleware removes nothing if there is no certificate: only `forwardedHeaders` without `insecure` and with the
 * right `trustedIPs` prevents clients from writing the header. `…-Info` has no fingerprint and is ignored.
 *
 * @example traefik({ from: trustedProxies(["172.18.0.2"]) })
 */
export function traefik(options: TraefikOptions): CertificateSource {
  const encoding = givenOptions(options).encoding ?? "base64";
  const read = readerFor(readers, encoding);
  const header = "x-forwarded-tls-client-cert";
  return createHeaderSource(options, {
    header,
    read,
    options: ["encoding"],
    ...(encoding === "base64" && { commas: true }),
  });
}
