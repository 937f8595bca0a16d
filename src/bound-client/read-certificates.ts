import { optionError } from "../api-client/option-error.ts";
import { type ReadCertificate, readCertificate } from "../x509/read-certificate.ts";

const block = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * Reads the certificates of a PEM text, one at least; text around them says nothing (RFC 7468 §2).
 *
 * OpenSSL passes over what it cannot read. Here a broken block, or one of another kind, is refused: throws a
 * `TypeError` that names the option.
 *
 * @example readCertificates("certificate", chain)[0].x5tS256
 */
export function readCertificates(option: string, pem: string): readonly [ReadCertificate, ...ReadCertificate[]] {
  if (pem.includes("PRIVATE KEY")) throw optionError(option, "must contain certificates and no key");
  const wrong = optionError(option, "must be one certificate or more in PEM");
  const [first, ...others] = pem.match(block) ?? [];
  if (first === undefined || others.length + 2 !== pem.split("-----BEGIN ").length) throw wrong;
  try {
    return [readCertificate(first), ...others.map((other) => readCertificate(other))];
  } catch {
    throw wrong;
  }
}
