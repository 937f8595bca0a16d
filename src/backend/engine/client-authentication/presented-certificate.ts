import { isSet } from "../../../oauth/json-object.ts";
import type { PresentedCertificate } from "../../../oauth/access-token-decision.ts";
import { clauseOf } from "../../../x509/malformed-certificate.ts";
import { checkCertificate } from "../../../x509/read-certificate.ts";

/** The certificate that came with a request, with its DER for those checks that need it. */
export type CertificateOfRequest = PresentedCertificate &
  ({ readonly raw: Uint8Array } | { readonly unreadable: string });

/**
 * Reads a `clientCertificate` member; absent, `null` and "" mean that the front end saw none.
 *
 * Never throws for what a caller may send: what cannot be read is a fact of its own, and refuses.
 */
export function readPresentedCertificate(pem: string | null | undefined): CertificateOfRequest | undefined {
  if (!isSet(pem)) return undefined;
  const certificate = checkCertificate(pem);
  return "unreadable" in certificate ? { unreadable: clauseOf(certificate.unreadable) } : certificate;
}
