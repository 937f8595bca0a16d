import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Duplex } from "node:stream";
import { answerOrClose, closeConnection, type PlainAnswer } from "../../serving/answer-or-close.ts";
import { AccessTokenRefused } from "../refusal/access-token-refused.ts";
import type { Refusal } from "./authorize-request.ts";
import type { ProtectedResourceMetadata } from "../protected-resource-metadata.ts";

const methods = "GET, HEAD, OPTIONS";

/**
 * Answers a request for the metadata of a protected resource (RFC 9728 §3.1), with what browsers ask beforehand;
 * `undefined` when the request is for something else.
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

/** A request as Node's own servers have it, of whatever version of HTTP. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
/** A response as Node's own servers have it, of whatever version of HTTP. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** A whole answer as plain data, for any framework to write. */
export interface HttpAnswer extends PlainAnswer {
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * What a refusal looks like to the caller: status, challenge, and a flat JSON body unless nothing was presented.
 *
 * @example refusalAnswer(new AccessTokenRefused("token_expired")).body // '{"error":"invalid_token"}'
 */
export function refusalAnswer(refusal: Refusal): HttpAnswer {
  const error = refusal instanceof AccessTokenRefused ? refusal.error : "temporarily_unavailable";
  if (error === undefined) return withLength(refusal.status, refusal.headers, "");
  const headers = { ...refusal.headers, "Content-Type": "application/json" };
  return withLength(refusal.status, headers, JSON.stringify({ error }));
}

/** An answer whose length is stated. */
export function withLength(status: number, headers: HttpAnswer["headers"], body: string): HttpAnswer {
  return { status, headers: { ...headers, "Content-Length": String(Buffer.byteLength(body)) }, body };
}

/**
 * Writes an answer with what Node's own servers, and Express, hand out; headers set before stay. Where it cannot be
 * written the connection is closed. Throws nothing: returns why it could not be written.
 */
export function writeAnswer(request: NodeRequest, response: NodeResponse, answer: HttpAnswer): unknown {
  return answerOrClose(request, response, answer);
}

/**
 * Writes an answer where there is no response yet: to the socket of an upgrade (RFC 9110 §7.8), which it ends. Throws
 * nothing: returns why it could not be written.
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
