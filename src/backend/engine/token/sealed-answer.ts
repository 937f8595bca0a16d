import { createCipheriv, createDecipheriv, createHmac, hash } from "node:crypto";
import type { TokenResponse } from "../../../contract/auth-token.ts";
import type { Random } from "../dependencies.ts";

/** What makes two refresh requests the same question: nothing else may change the answer. */
export interface RefreshQuestion {
  /** Of the certificate that was presented, bound or not; of one that cannot be read, a text that no other has. */
  readonly x5tS256: string | undefined;
  /** As sent. */
  readonly scope: string | undefined;
  readonly resources: readonly string[];
}

const label = "certbound refresh answer 1";
const algorithm = "aes-256-gcm";
const nonceOctets = 12;
const tagOctets = 16;

/**
 * Seals the answer of a rotation so that only a holder of the refresh token it was given for can open it.
 *
 * AES-256-GCM under HMAC-SHA-256 of a fixed label, the raw token being the key: what the store has of a token is its
 * SHA-256, from which that key does not follow, and nobody has to keep one.
 */
export function sealAnswer(
  refreshToken: string,
  question: RefreshQuestion,
  response: TokenResponse,
  random: Random,
): Uint8Array {
  const nonce = random(nonceOctets);
  const cipher = createCipheriv(algorithm, keyOf(refreshToken), nonce, { authTagLength: tagOctets });
  const plaintext = JSON.stringify({ question: digestOf(question), response });
  const sealed = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

/** The answer to that very question; `undefined` for another token or question, and for what was changed since. */
export function openSealedAnswer(
  refreshToken: string,
  question: RefreshQuestion,
  sealedAnswer: Uint8Array,
): TokenResponse | undefined {
  const plaintext = decrypt(refreshToken, sealedAnswer);
  if (plaintext === undefined) return undefined;
  const sealed = JSON.parse(plaintext) as { readonly question: string; readonly response: TokenResponse };
  return sealed.question === digestOf(question) ? sealed.response : undefined;
}

function decrypt(refreshToken: string, sealedAnswer: Uint8Array): string | undefined {
  const start = nonceOctets + tagOctets;
  if (sealedAnswer.length < start) return undefined;
  const nonce = sealedAnswer.subarray(0, nonceOctets);
  const decipher = createDecipheriv(algorithm, keyOf(refreshToken), nonce, { authTagLength: tagOctets });
  decipher.setAuthTag(sealedAnswer.subarray(nonceOctets, start));
  const plaintext = decipher.update(sealedAnswer.subarray(start));
  try {
    return Buffer.concat([plaintext, decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}

function keyOf(refreshToken: string): Buffer {
  return createHmac("sha256", refreshToken).update(label).digest();
}

function digestOf({ x5tS256, scope, resources }: RefreshQuestion): string {
  return hash("sha256", JSON.stringify([x5tS256 ?? null, scope ?? null, resources]), "base64url");
}
