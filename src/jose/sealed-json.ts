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
    .setProtectedHeader(headerFor(typ))
    .encrypt(key);
}

function headerFor(typ: string): { readonly alg: string; readonly enc: string; readonly typ: string } {
  return { alg: "dir", enc: "A256GCM", typ };
}

/**
 * The value of `sealJson`; `undefined` when the text was not sealed with this key for this purpose. A header that is not
 * the one that `sealJson` writes is not read: it may be as long as anybody likes.
 */
export async function openSealedJson(text: string, key: Uint8Array, typ: string): Promise<unknown> {
  if (!text.startsWith(`${Buffer.from(JSON.stringify(headerFor(typ))).toString("base64url")}..`)) return undefined;
  try {
    const { plaintext } = await compactDecrypt(text, key, {
      keyManagementAlgorithms: ["dir"],
      contentEncryptionAlgorithms: ["A256GCM"],
    });
    return JSON.parse(new TextDecoder().decode(plaintext)) as unknown;
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}
