import { X509Certificate } from "node:crypto";
import type { CertificatePath } from "../engine/dependencies.ts";

/**
 * Whether names and signatures lead from a leaf to an anchor: what every valid path has, and far from all that it needs.
 *
 * Only ever a reason to refuse. Anyone can make a certificate with a client's name in it; a signature of an anchor's key
 * they cannot, and so they cannot keep the verifier's processes busy. The certificates have been read already.
 *
 * @example if (!hasSignedPath({ leaf, intermediates, anchors })) return refused
 */
export function hasSignedPath({ leaf, intermediates, anchors }: CertificatePath): boolean {
  const trusted = anchors.map(read);
  let unvisited = intermediates.map(read);
  let reached = [read(leaf)];
  while (reached.length > 0) {
    if (reached.some((certificate) => trusted.some((anchor) => isIssuedBy(certificate, anchor)))) return true;
    // Each is visited once, so a circle of certificates ends too.
    const issuers = unvisited.filter((issuer) => reached.some((certificate) => isIssuedBy(certificate, issuer)));
    unvisited = unvisited.filter((certificate) => !issuers.includes(certificate));
    reached = issuers;
  }
  return false;
}

const read = (der: Uint8Array): X509Certificate => new X509Certificate(der);

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    // A key or an algorithm that OpenSSL cannot use proves nothing.
    return false;
  }
}
