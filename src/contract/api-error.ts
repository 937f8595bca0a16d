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
    this.resultMessage = resultMessage;
    this.headers = options.headers ?? {};
  }
}
