/** The claims of an ID token that are answered from the request and the ticket, or that say what the token is. */
const ownClaims = new Set(
  "iss sub aud exp iat nbf jti azp nonce auth_time acr at_hash c_hash s_hash cnf _claim_names _claim_sources".split(
    " ",
  ),
);

/** Whether the caller may not name a value for it (OpenID Connect Core §2). */
export function isOwnClaim(name: string): boolean {
  return ownClaims.has(name);
}
