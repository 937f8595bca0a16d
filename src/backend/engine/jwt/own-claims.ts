/**
 * ID token claims that follow from the request and the ticket, or describe the token itself: a caller's value never
 * replaces them, whether they are present or not (OpenID Connect Core §2). `amr` is not among them: only the caller
 * knows how the user was authenticated.
 */
export const ownClaimsOfIdToken: ReadonlySet<string> = new Set(
  "iss sub aud exp nbf iat jti auth_time nonce acr azp at_hash c_hash s_hash rt_hash sid sub_jwk cnf events"
    .split(" ")
    .concat("client_id", "scope", "act", "may_act", "_claim_names", "_claim_sources"),
);

/**
 * Claims that resource servers decide by, and registered ones: a caller's claim may neither replace ours nor stand
 * where ours is left out (RFC 7519 §4.1, RFC 7800 §3.1, RFC 8693 §4).
 */
export const ownClaimsOfAccessToken: ReadonlySet<string> = new Set(
  "iss sub aud exp nbf iat jti client_id scope cnf auth_time acr amr act may_act active token_type token_introspection"
    .split(" ")
    .concat("authorization_details", "username", "events"),
);

/** The caller's claims without those. A claim without a value is dropped, because some readers fail on null. */
export function claimsOfCaller(
  claims: Readonly<Record<string, unknown>> | undefined,
  own: ReadonlySet<string>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(claims ?? {}).filter(([name, value]) => !own.has(name) && value !== null && value !== undefined),
  );
}
