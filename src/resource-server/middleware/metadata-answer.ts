import type { ProtectedResourceMetadata } from "../protected-resource-metadata.ts";
import { type HttpAnswer, withLength } from "./http-answer.ts";

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
