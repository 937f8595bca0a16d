import type { Property } from "../../../contract/members.ts";
import { readJwtClaims, type CallerDefect } from "./caller-json.ts";
import type { GrantDetails } from "./grant-details.ts";

/** An API caller's additions to the tokens of one answer, as in the request. */
interface AdditionsOfCaller {
  readonly properties?: readonly Property[] | null | undefined;
  /** A JSON object as text. */
  readonly jwtAtClaims?: string | null | undefined;
  /** Seconds. */
  readonly accessTokenDuration?: number | null | undefined;
  readonly refreshTokenDuration?: number | null | undefined;
}

/** An API caller's additions to the tokens of one answer, parsed. */
export interface Additions extends Omit<AdditionsOfCaller, "jwtAtClaims"> {
  readonly jwtAtClaims: Readonly<Record<string, unknown>> | undefined;
}

/** Reads the additions; refuses `jwtAtClaims` that is no JSON object, or has claims that are the backend's. */
export function readAdditions(request: AdditionsOfCaller): Additions | CallerDefect {
  const claims = readJwtClaims(request.jwtAtClaims);
  if ("error" in claims) return claims;
  const { properties, accessTokenDuration, refreshTokenDuration } = request;
  return { properties, jwtAtClaims: claims.members, accessTokenDuration, refreshTokenDuration };
}

/** The details of the grant with the additions; an addition replaces an earlier value of the same key. */
export function addToDetails(details: GrantDetails, { properties, jwtAtClaims }: Additions): GrantDetails {
  const hasProperties = properties !== undefined && properties !== null && properties.length > 0;
  return {
    ...details,
    ...(hasProperties && { properties: mergeProperties(details.properties ?? [], properties) }),
    ...(jwtAtClaims !== undefined && { jwtAtClaims: { ...details.jwtAtClaims, ...jwtAtClaims } }),
  };
}

function mergeProperties(earlier: readonly Property[], added: readonly Property[]): readonly Property[] {
  const replaced = new Set(added.map(({ key }) => key));
  return [...earlier.filter(({ key }) => !replaced.has(key)), ...added];
}
