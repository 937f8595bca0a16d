import type { CertificateSource } from "../certificate-source.ts";
import { readBase64Der, readPercentEncodedPem } from "../certificate-encodings.ts";
import { createHeaderSource, givenOptions, type HeaderSourceOptions, readerFor } from "../header-source.ts";

/** The options of `kong`. */
export interface KongOptions extends HeaderSourceOptions {
  /**
   * `percent-encoded` (default): what `tls-metadata-headers` sends. `base64`: named `base64_encoded` in other plugins.
   */
  readonly encoding?: "percent-encoded" | "base64";
}

const readers = { "percent-encoded": readPercentEncodedPem, base64: readBase64Der };

/**
 * Kong with the plugin `tls-metadata-headers`: `X-Client-Cert`, percent-encoded PEM.
 *
 * Its `X-Client-Cert-Fingerprint` is SHA-1, to which no token can be bound; it is rejected.
 *
 * @example kong({ from: trustedProxies(["10.0.0.7"]) })
 */
export function kong(options: KongOptions): CertificateSource {
  const read = readerFor(readers, givenOptions(options).encoding ?? "percent-encoded");
  return createHeaderSource(options, { header: "x-client-cert", read, options: ["encoding"] });
}
