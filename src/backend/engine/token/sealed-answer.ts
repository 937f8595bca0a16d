import { createCipheriv, createDecipheriv, createHmac, hash } from "node:crypto";
import type { TokenResponse } from "../../../contract/auth-token.ts";
import type { Random } from "../dependencies.ts";

/** The parts of a refresh request that its answer depends on: two requests are the same when these are. */
export interface RefreshQuestion {
  /** The thumbprint of the presented certificate, bound or not; `"unreadable"` for one that cannot be parsed. */
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
 * Seals the answer of a rotation so that only the holder of the replaced refresh token can open it.
 *
 * AES-256-GCM; the key is HMAC-SHA-256 of a fixed label under the raw token. The store has only the token's SHA-256,
 * from which the key cannot be derived, and no key has to be stored.
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

/** The answer to the same request; `undefined` for another token or request, and for a changed text. */
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
