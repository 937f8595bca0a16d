import { engineSentences as sentences } from "../../result-codes/result-codes.ts";

/**
 * A code that the engine answers with (Authlete's API).
 *
 * It tells the API caller exactly what happened. The OAuth client gets less: see `oauth-error.ts`.
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

/**
 * The API caller made a mistake in an operation whose answer has no `action`.
 *
 * The caller of the engine turns it into the contract's `ApiError`.
 */
export class CallRefused extends Error {
  override readonly name = "CallRefused";
  /** The API's own: 400 or 404. */
  readonly status: 400 | 404;
  readonly resultCode: ResultCode;
  /** Without the bracketed code. */
  readonly sentence: string;

  constructor(status: 400 | 404, resultCode: ResultCode, detail?: string) {
    const sentence = sentenceOf(resultCode, detail);
    super(`[${resultCode}] ${sentence}`);
    this.status = status;
    this.resultCode = resultCode;
    this.sentence = sentence;
  }
}
