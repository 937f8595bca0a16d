/**
 * The backend could not be asked, or its answer did not arrive whole and in time.
 *
 * Nothing is then known about the token. Never thrown for an answer with a status of 400 or above: that is `ApiError`.
 * `code` is the system's, for example `ECONNREFUSED`; neither the message nor `cause` has a token, a secret or a body.
 *
 * @example if (error instanceof BackendUnavailable) log.warn({ code: error.code }, error.message)
 */
export class BackendUnavailable extends Error {
  override readonly name: string = "BackendUnavailable";
  readonly code: string;

  constructor(message: string, code: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}
