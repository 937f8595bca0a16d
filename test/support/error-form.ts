import type { ExecutionContext } from "ava";
import type { HttpAnswer } from "./https-request.ts";

const allowedErrors = new Set([
  "invalid_request",
  "invalid_client",
  "invalid_grant",
  "unauthorized_client",
  "unsupported_grant_type",
  "invalid_scope",
  "invalid_target",
  "server_error",
  "temporarily_unavailable",
]);

/** %x20-21 / %x23-5B / %x5D-7E (RFC 6749 §5.2). */
const errorCharacters = /^[\x20\x21\x23-\x5B\x5D-\x7E]*$/;

/**
 * The oracle for every error answer of an authorization server (conformance table, "E-form"): a JSON object that is
 * not cached, a known `error`, the right characters, and nothing in it that a thief could use.
 */
export function assertErrorForm(
  t: ExecutionContext,
  answer: HttpAnswer,
  error: string,
  statuses: readonly number[],
): void {
  t.true(statuses.includes(answer.status), `status ${answer.status}`);
  t.is(answer.headers["content-type"], "application/json");
  t.is(answer.headers["cache-control"], "no-store");
  const body = JSON.parse(answer.body) as Record<string, unknown>;
  t.is(body["error"], error);
  t.true(allowedErrors.has(error));
  for (const member of ["error", "error_description"]) {
    const text = body[member] ?? "";
    t.true(typeof text === "string" && errorCharacters.test(text), member);
  }
  t.false("access_token" in body);
  t.notRegex(answer.body, /-----BEGIN|MII[A-Za-z0-9+/]{20}|\bat \S+:\d+:\d+|secret-of-client/);
}
