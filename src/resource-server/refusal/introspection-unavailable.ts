import { retryAfterSeconds } from "../../serving/server-timeouts.ts";
import { diagnose, type Diagnosis } from "./diagnosis.ts";

/**
 * The answer of the authorization server is malformed; the request is refused with 503.
 *
 * Says nothing about the token: never respond with `invalid_token`, or the client would discard a good token. `reason`
 * is for the operator and quotes nothing of the answer.
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
  /** The resource server sets the issuer. */
  diagnosis: Diagnosis;

  constructor(reason: string, options: { cause?: unknown } = {}) {
    super(`The introspection answer is malformed: ${reason}.`, options);
    this.reason = reason;
    this.diagnosis = diagnose(this.code, reason);
  }
}

/**
 * The authorization server is unavailable; the request is refused with 503 and Retry-After.
 *
 * Says nothing about the token, and is never cached. `reason` is for the operator; `cause` is the error of the api
 * client or of the backend in the same process.
 *
 * @example if (error instanceof IntrospectionUnavailable) response.writeHead(error.status, error.headers)
 */
export class IntrospectionUnavailable extends Error {
  override readonly name = "IntrospectionUnavailable";
  readonly code = "introspection_unavailable";
  readonly status = 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly reason: string;
  /** The resource server sets the issuer. */
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
