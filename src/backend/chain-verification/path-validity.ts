import { X509Certificate } from "node:crypto";
import { checkCertificate } from "../../x509/read-certificate.ts";
import type { CertificatePath } from "../engine/dependencies.ts";

/** Sorted instants (milliseconds) at which the verdict over a path may change, or why it cannot be put to OpenSSL. */
export type PathValidity = { readonly instants: readonly number[] } | { readonly unreadable: string };

/**
 * Reads when the certificates of a path become and cease to be valid.
 *
 * Each must pass the strict reader: OpenSSL itself would skip text before or after a certificate.
 */
export function readPathValidity({ leaf, intermediates, anchors }: CertificatePath): PathValidity {
  const named = [
    { name: "the certificate", der: leaf },
    ...intermediates.map((der, index) => ({ name: `intermediate ${index + 1}`, der })),
    ...anchors.map((der, index) => ({ name: `trust anchor ${index + 1}`, der })),
  ];
  const instants = new Set<number>();
  for (const { name, der } of named) {
    const validity = readValidity(der);
    if (typeof validity === "string") return { unreadable: `${name} cannot be read: ${validity}` };
    // OpenSSL 3 ends at notAfter, RFC 5280 §4.1.2.5 a second later; the question is put again at both.
    for (const instant of [validity.notBefore, validity.notAfter, validity.notAfter + 1000]) instants.add(instant);
  }
  return { instants: [...instants].sort((one, other) => one - other) };
}

interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Cached by the reader's octets of the certificate: the library decodes the key each time. */
const known = new WeakMap<Uint8Array, Validity | string>();

function readValidity(der: Uint8Array): Validity | string {
  const certificate = checkCertificate(der);
  if ("error" in certificate) return certificate.error;
  const { raw } = certificate;
  const found = known.get(raw);
  if (found !== undefined) return found;
  const { validFromDate, validToDate } = new X509Certificate(raw);
  const validity = { notBefore: validFromDate.getTime(), notAfter: validToDate.getTime() };
  const isReadable = Number.isFinite(validity.notBefore) && Number.isFinite(validity.notAfter);
  const result = isReadable ? validity : "its validity";
  known.set(raw, result);
  return result;
}
