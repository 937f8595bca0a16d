import { bearerChallenge, challengeErrors } from "../../oauth/challenge.ts";
import { type AccessTokenRefusalCode, diagnose, type Diagnosis, type DiagnosisDetails } from "./diagnosis.ts";

export type { AccessTokenRefusalCode };

/** The status and the error in the challenge; no error if the request had no credentials (RFC 6750 §3.1). */
const answers = {
  ...challengeErrors,
  credentials_missing: { status: 401, error: undefined },
  request_malformed: { status: 400, error: "invalid_request" },
} as const satisfies Record<AccessTokenRefusalCode, { status: 400 | 401 | 403; error: string | undefined }>;

const reasons: Record<AccessTokenRefusalCode, string> = {
  token_unknown: "the token is unknown, revoked or expired",
  client_locked: "the token's client is locked",
  token_expired: "the token has expired",
  token_not_yet_valid: "the token is not valid yet",
  certificate_unreadable: "the certificate of the connection cannot be read",
  confirmation_malformed: "the token's confirmation (cnf) is malformed",
  confirmation_unsupported: "the token is bound in a way that is not checked here",
  certificate_missing: "the token is certificate-bound and the connection has no certificate",
  certificate_mismatch: "the token is bound to another certificate",
  token_unbound: "the token is not certificate-bound and must be",
  audience_mismatch: "the token is not meant for this resource",
  subject_missing: "the token has no subject and must have a certain one",
  subject_mismatch: "the token has another subject",
  scope_insufficient: "the token does not cover the scopes",
  credentials_missing: "the request has no access token",
  request_malformed: "the request presents its access token in a wrong way",
};

/** Details of a refusal. */
export interface RefusalDetails {
  readonly realm?: string | undefined;
  /** The required scopes; sent with `scope_insufficient` only. */
  readonly scopes?: readonly string[] | undefined;
  /** The URL of the metadata of the protected resource (RFC 9728 §5.1). */
  readonly resourceMetadata?: string | undefined;
  /** A more exact reason, for the operator. */
  readonly reason?: string | undefined;
  /** Further content of the diagnosis; never sent. */
  readonly evidence?: DiagnosisDetails | undefined;
  /** The configured name of the issuer that was asked. */
  readonly issuer?: string | undefined;
}

/**
 * The token does not give access to the resource. Never used for an outage.
 *
 * `status`, `challenge` and `headers` are the response (RFC 6750 §3), equal for all reasons of a kind; `code`, `reason`
 * and `diagnosis` are for the operator and must not be sent. It never contains the token.
 *
 * @example if (error instanceof AccessTokenRefused) response.writeHead(error.status, error.headers)
 */
export class AccessTokenRefused extends Error {
  override readonly name = "AccessTokenRefused";
  readonly code: AccessTokenRefusalCode;
  readonly status: 400 | 401 | 403;
  /** The `error` of the challenge; `undefined` if the request had no credentials. */
  readonly error: "invalid_request" | "invalid_token" | "insufficient_scope" | undefined;
  /** The value of WWW-Authenticate. */
  readonly challenge: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly reason: string;
  readonly diagnosis: Diagnosis;

  constructor(code: AccessTokenRefusalCode, details: RefusalDetails = {}) {
    const reason = details.reason ?? reasons[code];
    super(`The access token was refused: ${reason}.`);
    const { status, error } = answers[code];
    this.code = code;
    this.status = status;
    this.error = error;
    this.reason = reason;
    this.diagnosis = diagnose(code, reason, details.evidence, details.issuer);
    const scope = code === "scope_insufficient" ? details.scopes : undefined;
    const { realm, resourceMetadata } = details;
    this.challenge = bearerChallenge({ realm, error, scope, resource_metadata: resourceMetadata });
    this.headers = Object.freeze({ "WWW-Authenticate": this.challenge, "Cache-Control": "no-store" });
  }
}
