import { setText, readJsonObject } from "../../../oauth/json-object.ts";
import type { Property } from "../../../contract/members.ts";
import { readJwtClaims } from "./caller-json.ts";
import type { GrantDetails } from "./grant-details.ts";

/** What an API caller adds to the tokens of one answer. */
export interface Additions {
  readonly properties?: readonly Property[] | null | undefined;
  /** A JSON object as text. */
  readonly jwtAtClaims?: string | null | undefined;
}

/** Whether `jwtAtClaims` is absent or says what it must: a JSON object, without the claims that are the backend's. */
export function hasReadableClaims({ jwtAtClaims }: Additions): boolean {
  return !("refusedWith" in readJwtClaims(jwtAtClaims));
}

/**
 * What the tokens of this answer carry: the grant's, and what the request adds, which wins over the same key.
 *
 * The caller has asked {@link hasReadableClaims} before.
 */
export function addToDetails(details: GrantDetails, additions: Additions): GrantDetails {
  const properties = additions.properties ?? [];
  const claims = readJsonObject(setText(additions.jwtAtClaims) ?? "");
  return {
    ...details,
    ...(properties.length !== 0 && { properties: mergeProperties(details.properties ?? [], properties) }),
    ...(claims !== undefined && { jwtAtClaims: { ...details.jwtAtClaims, ...claims } }),
  };
}

function mergeProperties(earlier: readonly Property[], added: readonly Property[]): readonly Property[] {
  const replaced = new Set(added.map(({ key }) => key));
  return [...earlier.filter(({ key }) => !replaced.has(key)), ...added];
}
