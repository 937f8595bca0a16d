import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Duplex } from "node:stream";
import { answerOrClose, closeConnection, type PlainAnswer } from "../../serving/answer-or-close.ts";
import { AccessTokenRefused } from "../refusal/access-token-refused.ts";
import type { Refusal } from "./authorize-request.ts";
import type { ProtectedResourceMetadata } from "../protected-resource-metadata.ts";

const methods = "GET, HEAD, OPTIONS";

/**
 * Returns the response to a request for the metadata of a protected resource (RFC 9728 §3.1), including preflight
 * requests; `undefined` for any other request.
 *
 * @example metadataAnswer(metadata, "GET", "/.well-known/oauth-protected-resource")?.status // 200
 */
export function metadataAnswer(
  { path, headers, body }: ProtectedResourceMetadata,
  method: string | undefined,
  target: string | undefined,
): HttpAnswer | undefined {
  if (target?.split("?")[0] !== path) return undefined;
  if (method === "GET" || method === "HEAD") return withLength(200, headers, body);
  const origin = { "Access-Control-Allow-Origin": "*" };
  if (method !== "OPTIONS") return withLength(405, { ...origin, Allow: methods }, "");
  const allowed = { "Access-Control-Allow-Methods": methods, "Access-Control-Allow-Headers": "*" };
  return { status: 204, headers: { ...origin, Allow: methods, ...allowed }, body: "" };
}

/** A request of Node's servers, in any version of HTTP. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
/** A response of Node's servers, in any version of HTTP. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** A complete response as plain data, which any framework can write. */
export interface HttpAnswer extends PlainAnswer {
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Creates the response for a refusal: status, challenge, and a flat JSON body, which is omitted if the request had no
 * credentials.
 *
 * @example refusalAnswer(new AccessTokenRefused("token_expired")).body // '{"error":"invalid_token"}'
 */
export function refusalAnswer(refusal: Refusal): HttpAnswer {
  const error = refusal instanceof AccessTokenRefused ? refusal.error : "temporarily_unavailable";
  if (error === undefined) return withLength(refusal.status, refusal.headers, "");
  const headers = { ...refusal.headers, "Content-Type": "application/json" };
  return withLength(refusal.status, headers, JSON.stringify({ error }));
}

/** Creates a response with a Content-Length. */
export function withLength(status: number, headers: HttpAnswer["headers"], body: string): HttpAnswer {
  return { status, headers: { ...headers, "Content-Length": String(Buffer.byteLength(body)) }, body };
}

/**
 * Writes a response with the objects of Node's servers or Express; keeps headers that were set before. If that fails,
 * closes the connection. Throws nothing: returns the error.
 */
export function writeAnswer(request: NodeRequest, response: NodeResponse, answer: HttpAnswer): unknown {
  return answerOrClose(request, response, answer);
}

/**
 * Writes a response to the socket of an upgrade request (RFC 9110 §7.8) and ends the socket. Throws nothing: returns
 * the error.
 */
export function writeRawAnswer(socket: Duplex, { status, headers, body }: HttpAnswer): unknown {
  try {
    const lines = Object.entries({ ...headers, Connection: "close" }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.once("finish", () => socket.destroy());
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("")}\r\n${body}`);
    return undefined;
  } catch (error) {
    closeConnection({}, socket);
    return error;
  }
}
