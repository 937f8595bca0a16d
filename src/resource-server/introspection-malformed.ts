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
    "Retry-After": "1",
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
