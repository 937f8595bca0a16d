import type { CertificateSource } from "../certificate-source.ts";
import { readBase64Der, readFlattenedPem, readPercentEncodedPem } from "../certificate-encodings.ts";
import {
  createHeaderSource,
  givenOptions,
  type HeaderSourceOptions,
  type NamedHeaderSourceOptions,
  readerFor,
} from "../header-source.ts";

/**
 * Azure App Service: `X-ARR-ClientCert`, plain base64 of the DER. The platform sets it and verifies only the handshake:
 * enough for certificate-bound tokens, not for an identity.
 *
 * @example azure({ from: trustedProxies(["169.254.129.0/24"]) })
 */
export function azure(options: HeaderSourceOptions): CertificateSource {
  return createHeaderSource(options, { header: "x-arr-clientcert", read: readBase64Der });
}

/** The options of `azureApplicationGateway`. */
export interface AzureApplicationGatewayOptions extends NamedHeaderSourceOptions {
  /** What your gateway sends: check it once, because its documents contradict each other. No default. */
  readonly encoding: "percent-encoded" | "flattened";
}

const readers = { "percent-encoded": readPercentEncodedPem, flattened: readFlattenedPem };

/**
 * Azure Application Gateway: a rewrite rule that sets a header to `{var_client_certificate}`, PEM with its markers.
 *
 * The header is empty without an SSL profile that requests client certificates.
 *
 * @example azureApplicationGateway({ from, header: "X-Client-Certificate", encoding: "percent-encoded" })
 */
export function azureApplicationGateway(options: AzureApplicationGatewayOptions): CertificateSource {
  const read = readerFor(readers, givenOptions(options).encoding);
  return createHeaderSource(options, { read, options: ["encoding"] });
}
