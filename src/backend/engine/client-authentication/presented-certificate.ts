import { isSet } from "../../../oauth/json-object.ts";
import type { PresentedCertificate } from "../../../oauth/access-token-decision.ts";
import { clauseOf } from "../../../x509/malformed-certificate.ts";
import { checkCertificate } from "../../../x509/read-certificate.ts";

/** The certificate that came with a request, with its DER for those checks that need it. */
export type CertificateOfRequest = PresentedCertificate &
  ({ readonly raw: Uint8Array } | { readonly unreadable: string });

/**
 * Reads a `clientCertificate` member; absent, `null` and "" mean that the front end got no certificate.
 *
 * Never throws for input of a caller: an unreadable certificate is a fact of the request, and is refused.
 */
export function readPresentedCertificate(pem: string | null | undefined): CertificateOfRequest | undefined {
  if (!isSet(pem)) return undefined;
  const certificate = checkCertificate(pem);
  return "error" in certificate ? { unreadable: clauseOf(certificate.error) } : certificate;
}
