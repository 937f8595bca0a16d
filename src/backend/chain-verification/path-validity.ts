import { X509Certificate } from "node:crypto";
import type { CertificatePath } from "../engine/dependencies.ts";

/** Above what a TLS handshake takes (OpenSSL's own limit for all of a peer's certificates is 100 KiB). */
const maximumOctets = 102_400;

/** Sorted instants (milliseconds) at which the verdict over a path may change, or why it cannot be put to OpenSSL. */
export type PathValidity = { readonly instants: readonly number[] } | { readonly unreadable: string };

/**
 * Reads when the certificates of a path become and cease to be valid.
 *
 * Each must be exactly one DER certificate, nothing before or after it: OpenSSL would skip over the rest.
 */
export function readPathValidity(path: CertificatePath): PathValidity {
  const named = [
    { name: "the certificate", der: path.leaf },
    ...path.intermediates.map((der, index) => ({ name: `intermediate ${index + 1}`, der })),
    ...path.anchors.map((der, index) => ({ name: `trust anchor ${index + 1}`, der })),
  ];
  const instants = new Set<number>();
  for (const { name, der } of named) {
    const validity = readValidity(der);
    if (validity === undefined) return { unreadable: `${name} is not exactly one DER certificate of reasonable size` };
    // OpenSSL 3 ends at notAfter, RFC 5280 §4.1.2.5 a second later; the question is put again at both.
    for (const instant of [validity.notBefore, validity.notAfter, validity.notAfter + 1000]) instants.add(instant);
  }
  return { instants: [...instants].sort((one, other) => one - other) };
}

function readValidity(der: Uint8Array): { notBefore: number; notAfter: number } | undefined {
  if (der.length > maximumOctets) return undefined;
  try {
    const { raw, validFromDate, validToDate } = new X509Certificate(der);
    if (!raw.equals(der)) return undefined;
    const validity = { notBefore: validFromDate.getTime(), notAfter: validToDate.getTime() };
    return Number.isFinite(validity.notBefore) && Number.isFinite(validity.notAfter) ? validity : undefined;
  } catch {
    return undefined;
  }
}
