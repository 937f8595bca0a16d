import type { Property } from "../../../contract/members.ts";

/**
 * Facts about the beginning of a grant that later answers need; stored as JSON text with the code and with the grant.
 */
export interface GrantDetails {
  readonly acr?: string;
  /** When the user was authenticated, in seconds. */
  readonly authTime?: number;
  readonly properties?: readonly Property[];
  /** Members that the caller wants in the payload of JWT access tokens. */
  readonly jwtAtClaims?: Readonly<Record<string, unknown>>;
  readonly idToken?: IdTokenDetails;
  /** The `userinfo` half of the request's `claims`, as JSON text (OpenID Connect Core §5.5). */
  readonly userInfoClaims?: string;
  /** The names in it, and those that the scopes include (§5.4). */
  readonly claimsAtUserInfo?: readonly string[];
  readonly consentedClaims?: readonly string[];
}

/** Further contents of the grant's ID tokens (OpenID Connect Core §2). */
export interface IdTokenDetails {
  /** From the authorization request; only the first ID token has it (§12.2). */
  readonly nonce?: string;
  /** In the place of the subject, in ID tokens alone. */
  readonly sub?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly headerParams?: Readonly<Record<string, unknown>>;
  readonly audType?: "array" | "string";
}

export function writeGrantDetails(details: GrantDetails): string {
  return JSON.stringify(details);
}

/** The reverse of {@link writeGrantDetails}; a token without a grant has none. */
export function readGrantDetails(text: string | undefined): GrantDetails {
  return text === undefined ? {} : (JSON.parse(text) as GrantDetails);
}

/**
 * The properties of a token that go into an answer, as members of it (Authlete's API).
 *
 * A property never takes the place of a member that the answer has a meaning for.
 */
export function propertyMembers(
  properties: readonly Property[] | undefined,
  answer: Readonly<Record<string, unknown>>,
  reserved: readonly string[],
  withHidden = false,
): Record<string, string> {
  const members: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const { key, value, hidden } of properties ?? []) {
    if (hidden === true && !withHidden) continue;
    if (!Object.hasOwn(answer, key) && !reserved.includes(key)) members[key] = value;
  }
  return members;
}
