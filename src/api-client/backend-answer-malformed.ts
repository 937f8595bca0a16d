/**
 * The backend answered, and the answer is not one of the contract: not JSON, another shape, a redirect, too large.
 *
 * The message says what was wrong with it and never quotes it.
 *
 * @example throw new BackendAnswerMalformed("POST /auth/token: the answer is not JSON.")
 */
export class BackendAnswerMalformed extends Error {
  override readonly name = "BackendAnswerMalformed";
}
