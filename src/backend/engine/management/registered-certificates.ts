import { readCertificate } from "../../../x509/read-certificate.ts";

interface JwkWithCertificate {
  readonly kid?: string;
  readonly x5c?: readonly string[];
}

/**
 * The certificates that a client registered in its JWK Set: `x5c[0]` of each key, as DER (RFC 8705 §2.2.2, RFC 7517 §4.7).
 *
 * A key without `x5c` registers none, and no later element of `x5c` ever counts. `keyId` picks the one key that does.
 * Throws `MalformedCertificate` for an `x5c[0]` that is not a certificate; the configuration has refused those already.
 */
export function registeredCertificates(jwks: string | undefined, keyId: string | undefined): readonly Uint8Array[] {
  if (jwks === undefined) return [];
  const { keys } = JSON.parse(jwks) as { keys: readonly JwkWithCertificate[] };
  return keys
    .filter((key) => keyId === undefined || key.kid === keyId)
    .flatMap((key) => key.x5c?.slice(0, 1) ?? [])
    .map((base64) => readCertificate(Buffer.from(base64, "base64")).raw);
}
