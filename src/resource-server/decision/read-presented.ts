import { optionError } from "../../options/option-error.ts";
import type { CertificateOfConnection } from "../../client-certificate/certificate-source.ts";
import type { PresentedCertificate } from "../../oauth/access-token-decision.ts";
import { isThumbprint } from "../../oauth/confirmation.ts";

/**
 * Checks that a certificate is one that a source or `readCertificate` made; throws a `TypeError` with a `code`.
 *
 * @example readPresented(tlsSocket()(request))
 */
export function readPresented(certificate: CertificateOfConnection): PresentedCertificate {
  if (certificate === undefined) return undefined;
  if (typeof certificate === "object" && (certificate as unknown) !== null) {
    if ("unreadable" in certificate) return certificate;
    if (isThumbprint(certificate.x5tS256)) return certificate;
  }
  throw optionError("certificate", "must come from a certificate source or from readCertificate");
}
