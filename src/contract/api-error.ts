import { retryAfterSeconds } from "../serving/server-timeouts.ts";

/**
 * An error of the API's caller or of the backend: a response with a status of 400 or above.
 *
 * The class is the same over HTTP and in the same process. OAuth outcomes are never an ApiError.
 *
 * @example new ApiError(401, "A001202", "The Authorization header is missing.")
 */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly resultCode: string;
  /** What is wrong, for humans. */
  readonly sentence: string;
  /** The code in brackets, a space, and the sentence: `resultMessage` on the wire. */
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
 * Creates an ApiError 503: the backend cannot answer now, but the same call may succeed later.
 *
 * @example throw serviceUnavailable("The stream has ended.")
 */
export function serviceUnavailable(sentence: string, options: { cause?: unknown } = {}): ApiError {
  return new ApiError(503, "A001101", sentence, {
    ...options,
    headers: { "Retry-After": String(retryAfterSeconds) },
  });
}
