import { readCompactJwt } from "../../oauth/compact-jwt.ts";
import { optionError } from "../../options/option-error.ts";
import { refuseUnknownOptions } from "../../options/refuse-unknown-options.ts";
import { IntrospectionMalformed } from "../refusal/introspection-unavailable.ts";
import { readAlgorithms, type IssuerKeysOptions, type KeyRing } from "./issuer-keys.ts";
import { answeredAtByIssue } from "./answered-at.ts";
import type { Ambient } from "../environment.ts";

/** Requires answers signed by the authorization server (RFC 9701); plain answers are rejected. */
export interface SignedAnswerOptions extends IssuerKeysOptions {
  /** Signature algorithms to accept; asymmetric ones. Default: RS256, PS256, ES256, EdDSA. */
  readonly algorithms?: readonly string[];
  /** The required signer; default: the endpoint's `issuer`. */
  readonly issuer?: string;
  /** The required audience (`aud`) of answers; default: this resource server's `client_id`. */
  readonly audience?: string;
  /** The maximum age in seconds; an older answer is a replay (default 60). */
  readonly maxAge?: number;
  /** How far the authorization server's clock may be ahead, in seconds (default 5). */
  readonly clockTolerance?: number;
}

export const signedAnswerType = "application/token-introspection+jwt";

const names = new Set(["jwks", "jwksUri", "algorithms", "issuer", "audience", "maxAge", "clockTolerance"]);

/** The RFC 7662 object in a signed answer. */
export interface SignedAnswer {
  readonly answer: unknown;
  /** The latest time that the issuer's clock can show now, milliseconds since 1970. */
  readonly answeredAt: number;
}

/** Verifies a signed answer and returns its content. */
export type ReadSignedAnswer = (jwt: string) => Promise<SignedAnswer>;

/**
 * Checks the option `signed`; the returned function rejects with `IntrospectionMalformed` for an answer with another
 * issuer, another audience, a wrong time or a wrong form (RFC 9701 §5), and with `IntrospectionUnavailable` without
 * keys.
 *
 * @example const read = signedAnswers(signed, { issuer, clientId }, ring, ambient); await read(body)
 */
export function signedAnswers(
  signed: SignedAnswerOptions,
  defaults: { readonly issuer: string | undefined; readonly clientId: string | undefined },
  openRing: (options: IssuerKeysOptions) => KeyRing,
  { clock }: Ambient,
): ReadSignedAnswer {
  if (typeof signed !== "object" || (signed as unknown) === null) throw optionError("signed", "must be an object");
  refuseUnknownOptions(signed, names);
  const { issuer = defaults.issuer, audience = defaults.clientId, maxAge = 60, clockTolerance = 5 } = signed;
  if (typeof issuer !== "string" || issuer === "") throw optionError("signed.issuer", "must be an issuer identifier");
  if (typeof audience !== "string" || audience === "") throw optionError("signed.audience", "must be text");
  seconds("signed.maxAge", maxAge, 3600);
  seconds("signed.clockTolerance", clockTolerance, 300);
  const algorithms = readAlgorithms("signed.algorithms", signed.algorithms);
  const ring = openRing(signed);

  return async (jwt) => {
    const unverified = readCompactJwt(jwt);
    if (unverified === undefined) throw refused("it is not a signed JWT in compact form");
    const { header, payload } = unverified;
    if (!isType(header["typ"])) throw refused("its typ is not token-introspection+jwt");
    if (header["crit"] !== undefined) throw refused("it has critical header parameters");
    const defect = await ring.defect(jwt, algorithms);
    if (defect !== undefined) throw refused(defect);
    if (payload["iss"] !== issuer) throw refused("it is another issuer's");
    if (!namesAudience(payload["aud"], audience)) throw refused("it is for another resource server (aud)");
    const { iat } = payload;
    if (typeof iat !== "number" || !Number.isFinite(iat)) throw refused("it has no iat");
    const now = clock();
    const age = now / 1000 - iat;
    if (!(age <= maxAge)) throw refused("it is too old: a replay, or a clock that is wrong");
    if (!(age >= -clockTolerance)) throw refused("it is from the future");
    // The answer may be as old as maxAge allows; the token has that much less time left.
    return { answer: payload["token_introspection"], answeredAt: Math.max(answeredAtByIssue(iat), now) };
  };
}

/** `typ` is a media type whose prefix may be omitted (RFC 7515 §4.1.9). */
function isType(typ: unknown): boolean {
  return typeof typ === "string" && typ.toLowerCase().replace(/^application\//, "") === "token-introspection+jwt";
}

function namesAudience(aud: unknown, audience: string): boolean {
  return aud === audience || (Array.isArray(aud) && aud.includes(audience));
}

function refused(defect: string): IntrospectionMalformed {
  return new IntrospectionMalformed(`the signed answer is not accepted: ${defect}`);
}

function seconds(option: string, value: number, most: number): void {
  if (!(Number.isFinite(value) && value >= 0 && value <= most)) {
    throw optionError(option, `must be a number of seconds, ${most} at most`);
  }
}
