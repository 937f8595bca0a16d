import { retryAfterSeconds } from "../../serving/server-timeouts.ts";
import { diagnose, type Diagnosis } from "./diagnosis.ts";

/**
 * The authorization server answered about the token, and the answer does not make sense; the request is refused.
 *
 * Says nothing about the token: never answer `invalid_token` for it, the client would throw a good token away.
 * `reason` is for the operator and quotes nothing of the answer.
 *
 * @example if (error instanceof IntrospectionMalformed) response.writeHead(error.status, error.headers)
 */
export class IntrospectionMalformed extends Error {
  override readonly name = "IntrospectionMalformed";
  readonly code = "introspection_malformed";
  readonly status = 503;
  readonly headers: Readonly<Record<string, string>> = Object.freeze({
    "Retry-After": String(retryAfterSeconds),
    "Cache-Control": "no-store",
  });
  readonly reason: string;
  /** The issuer in it is named by the resource server that asked. */
  diagnosis: Diagnosis;

  constructor(reason: string, options: { cause?: unknown } = {}) {
    super(`The introspection answer is malformed: ${reason}.`, options);
    this.reason = reason;
    this.diagnosis = diagnose(this.code, reason);
  }
}

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
    this.headers = Object.freeze({
      "Retry-After": String(options.retryAfter ?? retryAfterSeconds),
      "Cache-Control": "no-store",
    });
  }
}
