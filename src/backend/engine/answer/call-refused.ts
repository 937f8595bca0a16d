import { sentenceOf, type ResultCode } from "./result.ts";

/**
 * The caller of the API is wrong, in an operation whose answer has no `action` to say so with.
 *
 * Whoever hands the engine's operations on makes the contract's `ApiError` of it.
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
