import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from "node:crypto";
import type { Random, SecretBox } from "../engine/dependencies.ts";

const cipher = "aes-256-gcm";
const keyLength = 32;
const nonceLength = 12;
const authTagLength = 16;
const version = "v1.";

/** A sealed text cannot be opened: another key, another context, or changed. The message never shows it. */
export class SealedTextRefused extends Error {
  override readonly name = "SealedTextRefused";
}

/**
 * A {@link SecretBox} of AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce; `context` is authenticated along.
 *
 * `key` is 32 octets; sealing and tags use subkeys of it (HKDF-SHA-256, RFC 5869), so neither tells of the other.
 * Sealed texts are `v1.` and base64url. Throws `TypeError` for a key of another length, and `open` throws
 * {@link SealedTextRefused}.
 *
 * @example createSecretBox(key, randomBytes).seal("…", "service:1004:apiSecret")
 */
export function createSecretBox(key: Uint8Array, random: Random): SecretBox {
  if (key.length !== keyLength) {
    throw Object.assign(new TypeError(`"key" must be ${keyLength} octets`), { code: "ERR_SECRET_BOX_KEY" });
  }
  const sealingKey = subkey(key, "certbound secret-box seal v1");
  const tagKey = subkey(key, "certbound secret-box tag v1");
  return {
    seal(plaintext, context) {
      const nonce = random(nonceLength);
      const encrypting = createCipheriv(cipher, sealingKey, nonce, { authTagLength }).setAAD(associated(context));
      const sealed = [nonce, encrypting.update(octets(plaintext)), encrypting.final(), encrypting.getAuthTag()];
      return version + Buffer.concat(sealed).toString("base64url");
    },
    open(sealed, context) {
      const box = unwrap(sealed);
      const decrypting = createDecipheriv(cipher, sealingKey, box.subarray(0, nonceLength), { authTagLength })
        .setAAD(associated(context))
        .setAuthTag(box.subarray(-authTagLength));
      try {
        const plaintext = decrypting.update(box.subarray(nonceLength, -authTagLength));
        return Buffer.concat([plaintext, decrypting.final()]).toString("utf8");
      } catch {
        throw refused();
      }
    },
    tag: (text) => createHmac("sha256", tagKey).update(octets(text)).digest(),
  };
}

function subkey(key: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", key, new Uint8Array(), purpose, keyLength));
}

function associated(context: string): Buffer {
  return octets(version + context);
}

/** A lone surrogate has no UTF-8: opening would return another text. */
function octets(text: string): Buffer {
  if (!text.isWellFormed()) {
    throw Object.assign(new TypeError("the text is not well-formed Unicode"), { code: "ERR_SECRET_BOX_TEXT" });
  }
  return Buffer.from(text, "utf8");
}

/** Only the one spelling that `seal` gives: Node's decoder would skip over foreign characters. */
function unwrap(sealed: string): Buffer {
  const text = sealed.slice(version.length);
  const box = Buffer.from(text, "base64url");
  const whole = box.length >= nonceLength + authTagLength && box.toString("base64url") === text;
  if (!sealed.startsWith(version) || !whole) throw refused();
  return box;
}

function refused(): SealedTextRefused {
  return new SealedTextRefused("the sealed text cannot be opened: another key, another context, or changed");
}
