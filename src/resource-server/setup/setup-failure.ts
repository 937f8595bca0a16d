/**
 * The first check of a resource server failed; the message says what is wrong and which option to look at.
 *
 * `code` is that of the warning of the same cause, or `CERTBOUND_BACKEND_FAILED` for any other; nothing in it opens
 * anything.
 *
 * @example await resourceServer.warmUp().catch((error) => { console.error(error.message); process.exit(1); })
 */
export class SetupFailure extends Error {
  override readonly name = "SetupFailure";
  readonly code: string;

  constructor(code: string, message: string, options: { readonly cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}
