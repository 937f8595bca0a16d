import { diagnose, type Diagnosis } from "./diagnosis.ts";

/**
 * The authorization server could not be asked about the token; the request is refused with 503 and Retry-After.
 *
 * Says nothing about the token, and is never remembered. `reason` is for the operator; `cause` is what the api client
 * or the backend in the same process threw.
 *
 * @example if (error instanceof IntrospectionUnavailable) response.writeHead(error.status, error.headers)
 */
export class IntrospectionUnavailable extends Error {
  override readonly name = "IntrospectionUnavailable";
  readonly code = "introspection_unavailable";
  readonly status = 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly reason: string;
  /** The issuer in it is named by the resource server that asked. */
  diagnosis: Diagnosis;

  /** `retryAfter` in seconds. */
  constructor(reason: string, options: { cause?: unknown; retryAfter?: number } = {}) {
    super(`The token could not be checked: ${reason}.`, "cause" in options ? { cause: options.cause } : {});
    this.reason = reason;
    this.diagnosis = diagnose(this.code, reason);
    this.headers = Object.freeze({ "Retry-After": String(options.retryAfter ?? 1), "Cache-Control": "no-store" });
  }
}
