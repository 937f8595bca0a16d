import { engineSentences as sentences } from "../../result-codes/result-codes.ts";

/**
 * A code that the engine answers with (Authlete's API).
 *
 * The code tells the API caller exactly what happened; what the OAuth client is told is decided elsewhere and says less.
 */
export type ResultCode = keyof typeof sentences;

/** `detail` continues the sentence, for the API caller's operator: never a token, a secret or a certificate. */
export function result(code: ResultCode, detail?: string): { resultCode: string; resultMessage: string } {
  return { resultCode: code, resultMessage: `[${code}] ${sentenceOf(code, detail)}` };
}

/** The sentence of a code, without the bracketed code. */
export function sentenceOf(code: ResultCode, detail?: string): string {
  const sentence = sentences[code];
  return detail === undefined ? sentence : `${sentence.replace(/\.$/, "")} (${detail}).`;
}
