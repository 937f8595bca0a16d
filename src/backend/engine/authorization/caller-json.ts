import { readJsonObject } from "../../../oauth/claims-request.ts";
import type { ResultCode } from "../result.ts";
import { isOwnClaim } from "./own-claims.ts";

/** What is wrong with a member of the API caller's; `detail` names a member of it. */
export interface CallerDefect {
  readonly refusedWith: ResultCode;
  readonly detail?: string;
}

type Members = { readonly members: Readonly<Record<string, unknown>> | undefined } | CallerDefect;

/** Characters of one JSON text. */
const longest = 65_535;

/** Members of a JWS header that say how it is to be verified (RFC 7515 §4.1, RFC 7797 §3). */
const ownHeaderParams = new Set("alg b64 crit cty enc jku jwk kid typ x5c x5t x5t#S256 x5u zip".split(" "));

/** The claims of a JWT access token that are decided here (RFC 9068 §2.2, RFC 7800 §3.1). */
const ownTokenClaims = new Set(
  "iss sub aud exp iat nbf jti client_id scope cnf acr auth_time act authorization_details".split(" "),
);

/** Claims for the ID token (OpenID Connect Core §2). */
export function readClaimsOfCaller(text: string | null | undefined): Members {
  return readMembers(text, isOwnClaim, "A044201", "A044203");
}

/** More header members of the ID token. */
export function readHeaderParams(text: string | null | undefined): Members {
  return readMembers(text, (name) => ownHeaderParams.has(name), "A045202", "A045202");
}

/** More claims of JWT access tokens. */
export function readJwtClaims(text: string | null | undefined): Members {
  return readMembers(text, (name) => ownTokenClaims.has(name), "A045203", "A045203");
}

function readMembers(
  text: string | null | undefined,
  isOwn: (name: string) => boolean,
  malformed: ResultCode,
  own: ResultCode,
): Members {
  if (text === undefined || text === null || text === "") return { members: undefined };
  const members = text.length > longest ? undefined : readJsonObject(text);
  if (members === undefined) return { refusedWith: malformed };
  const taken = Object.keys(members).find(isOwn);
  return taken === undefined ? { members } : { refusedWith: own, detail: taken };
}
