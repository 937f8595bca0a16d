/**
 * The claims of an ID token that are answered from the request and the ticket, or that say what the token is: no value
 * of a caller's takes their place, present or not (OpenID Connect Core §2). `amr` is not one of them: how a user was
 * authenticated, the caller alone knows.
 */
export const ownClaimsOfIdToken: ReadonlySet<string> = new Set(
  "iss sub aud exp nbf iat jti auth_time nonce acr azp at_hash c_hash s_hash rt_hash sid sub_jwk cnf events"
    .split(" ")
    .concat("client_id", "scope", "act", "may_act", "_claim_names", "_claim_sources"),
);

/**
 * What a resource server decides by, and what others have registered a meaning for: members that no claim of a caller's
 * may take, neither in place of ours nor where ours are left out (RFC 7519 §4.1, RFC 7800 §3.1, RFC 8693 §4).
 */
export const ownClaimsOfAccessToken: ReadonlySet<string> = new Set(
  "iss sub aud exp nbf iat jti client_id scope cnf auth_time acr amr act may_act active token_type token_introspection"
    .split(" ")
    .concat("authorization_details", "username", "events"),
);

/** The claims of a caller's without those; a claim without a value says nothing, and readers stumble over null. */
export function claimsOfCaller(
  claims: Readonly<Record<string, unknown>> | undefined,
  own: ReadonlySet<string>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(claims ?? {}).filter(([name, value]) => !own.has(name) && value !== null && value !== undefined),
  );
}
