import type { IncomingMessage } from "node:http";

const sane = /^[A-Za-z0-9._~-]{1,64}$/;

/**
 * The request's id: the caller's own `X-Request-Id` when it can stand in a log as it is, else a new one.
 *
 * @example readRequestId(request, () => randomUUID())
 */
export function readRequestId(request: IncomingMessage, newRequestId: () => string): string {
  const presented = request.headers["x-request-id"];
  return typeof presented === "string" && sane.test(presented) ? presented : newRequestId();
}
