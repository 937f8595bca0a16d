import { setText, readJsonObject } from "../../../oauth/json-object.ts";
import { ownHeaderParameters } from "../../../jose/sign-jwt.ts";
import type { ResultCode } from "../answer/result.ts";
import { ownClaimsOfAccessToken, ownClaimsOfIdToken } from "../jwt/own-claims.ts";

/** The error in a member of the API caller's request; `detail` names the part. */
export interface CallerDefect {
  readonly error: ResultCode;
  readonly detail?: string;
}

type Members = { readonly members: Readonly<Record<string, unknown>> | undefined } | CallerDefect;

/** Characters of one JSON text. */
const longest = 65_535;

/** Claims for the ID token (OpenID Connect Core §2). */
export function readClaimsOfCaller(text: string | null | undefined): Members {
  return readMembers(text, ownClaimsOfIdToken, "A044201", "A044203");
}

/** More header members of the ID token. */
export function readHeaderParams(text: string | null | undefined): Members {
  return readMembers(text, ownHeaderParameters, "A045202", "A045202");
}

/** More claims of JWT access tokens. */
export function readJwtClaims(text: string | null | undefined): Members {
  return readMembers(text, ownClaimsOfAccessToken, "A045203", "A045203");
}

function readMembers(
  member: string | null | undefined,
  own: ReadonlySet<string>,
  malformed: ResultCode,
  takesOwn: ResultCode,
): Members {
  const text = setText(member);
  if (text === undefined) return { members: undefined };
  const members = text.length > longest ? undefined : readJsonObject(text);
  if (members === undefined) return { error: malformed };
  const taken = Object.keys(members).find((name) => own.has(name));
  return taken === undefined ? { members } : { error: takesOwn, detail: taken };
}
