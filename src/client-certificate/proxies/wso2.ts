import type { CertificateSource } from "../certificate-source.ts";
import { readFlattenedPem, readPercentEncodedPem } from "../certificate-encodings.ts";
import { createHeaderSource, givenOptions, type HeaderSourceOptions, readerFor } from "../header-source.ts";

/** The options of `wso2`. */
export interface Wso2Options extends HeaderSourceOptions {
  /** `one-line` (default): PEM with its markers and without line ends. `percent-encoded`: PEM, URL-encoded. */
  readonly encoding?: "one-line" | "percent-encoded";
}

const readers = { "one-line": readFlattenedPem, "percent-encoded": readPercentEncodedPem };

/**
 * The header that a balancer in front of WSO2's products is configured to send: `x-wso2-mtls-cert`, PEM on one line.
 *
 * Those products do not remove a header that the client sent; the balancer must.
 *
 * @example wso2({ from: trustedProxies(["10.0.0.7"]) })
 */
export function wso2(options: Wso2Options): CertificateSource {
  const read = readerFor(readers, givenOptions(options).encoding ?? "one-line");
  return createHeaderSource(options, { header: "x-wso2-mtls-cert", read, options: ["encoding"] });
}
