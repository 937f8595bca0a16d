/**
 * A client's key set could not be had, so whether it is the client cannot be found out; never to be taken for a no.
 * The message has neither its URL nor what was answered.
 */
export class RemoteJwksFailure extends Error {
  override readonly name = "RemoteJwksFailure";
}
