import { CompactEncrypt, compactDecrypt, errors } from "jose";

/**
 * Encrypts a value as a JWE with direct encryption (RFC 7518 §4.5), so that its holder can neither read nor change it.
 *
 * `typ` is the purpose: a value sealed for one purpose does not open for another. The key has 32 octets and must not be
 * used for more than 2³² values (RFC 7518 §8.4).
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
 * Decrypts the value of `sealJson`; `undefined` if the text was not sealed with this key for this purpose. Any header
 * other than that of `sealJson` is rejected unread, because it may be of any length.
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
