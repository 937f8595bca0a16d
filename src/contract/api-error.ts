import { retryAfterSeconds } from "../serving/server-timeouts.ts";

/**
 * The caller of the API is wrong, or the backend is: an answer with a status of 400 or above.
 *
 * The same class whether the backend is across the network or in the same process. OAuth outcomes are never this.
 *
 * @example new ApiError(401, "A001202", "The Authorization header is missing.")
 */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly resultCode: string;
  /** What is wrong, for people. */
  readonly sentence: string;
  /** The code in brackets, a space, then a sentence: what goes over the wire as `resultMessage`. */
  readonly resultMessage: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    resultCode: string,
    sentence: string,
    options: { cause?: unknown; headers?: Readonly<Record<string, string>> } = {},
  ) {
    const resultMessage = `[${resultCode}] ${sentence}`;
    super(resultMessage, { cause: options.cause });
    this.status = status;
    this.resultCode = resultCode;
    this.sentence = sentence;
    this.resultMessage = resultMessage;
    this.headers = options.headers ?? {};
  }
}

/**
 * A 503: the backend cannot answer now, the same call may succeed later.
 *
 * @example throw serviceUnavailable("The stream has ended.")
 */
export function serviceUnavailable(sentence: string, options: { cause?: unknown } = {}): ApiError {
  return new ApiError(503, "A001101", sentence, {
    ...options,
    headers: { "Retry-After": String(retryAfterSeconds) },
  });
}
