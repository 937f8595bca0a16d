import { CompactEncrypt, compactDecrypt, errors } from "jose";

/**
 * Encrypts a value, so that whoever keeps it can neither read nor change it: a JWE with the key itself (RFC 7518 §4.5).
 *
 * `typ` says what it is for: what was sealed for one purpose does not open for another. The key has 32 octets, and is
 * good for 2³² values (RFC 7518 §8.4).
 *
 * @example const cookie = await sealJson({ subject: "alice" }, key, "session");
 */
export function sealJson(value: object, key: Uint8Array, typ: string): Promise<string> {
  return new CompactEncrypt(new TextEncoder().encode(JSON.stringify(value)))
    .setProtectedHeader({ alg: "dir", enc: "A256GCM", typ })
    .encrypt(key);
}

/** The value of `sealJson`; `undefined` when the text was not sealed with this key for this purpose. */
export async function openSealedJson(text: string, key: Uint8Array, typ: string): Promise<unknown> {
  try {
    const { plaintext, protectedHeader } = await compactDecrypt(text, key, {
      keyManagementAlgorithms: ["dir"],
      contentEncryptionAlgorithms: ["A256GCM"],
    });
    if (protectedHeader.typ !== typ) return undefined;
    return JSON.parse(new TextDecoder().decode(plaintext)) as unknown;
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}
