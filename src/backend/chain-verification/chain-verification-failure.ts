/** We could not find out whether a path is trusted; never to be taken for either answer. `cause` is for the log only. */
export class ChainVerificationFailure extends Error {
  override readonly name = "ChainVerificationFailure";
}
