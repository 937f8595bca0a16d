import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";

/**
 * The socket that a request came on, one and the same object for all requests of a connection; `undefined` after an
 * HTTP/2 session has ended.
 *
 * Under HTTP/2 `request.socket` is a new proxy for each stream; the session's is what can be a key.
 */
export function peerSocketOf(request: IncomingMessage | Http2ServerRequest): object | undefined {
  return "stream" in request ? request.stream.session?.socket : request.socket;
}
