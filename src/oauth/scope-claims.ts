/** The claims that the scopes of OpenID Connect Core §5.4 stand for. */
const claims: ReadonlyMap<string, readonly string[]> = new Map([
  [
    "profile",
    "name family_name given_name middle_name nickname preferred_username profile picture website gender birthdate zoneinfo locale updated_at".split(
      " ",
    ),
  ],
  ["email", ["email", "email_verified"]],
  ["address", ["address"]],
  ["phone", ["phone_number", "phone_number_verified"]],
]);

/**
 * The names of the claims about the user that these scopes ask for at the userinfo endpoint (OpenID Connect Core §5.4).
 *
 * @example claimsOfScopes(["openid", "email"]) // ["email", "email_verified"]
 */
export function claimsOfScopes(scopes: readonly string[]): string[] {
  return scopes.flatMap((scope) => claims.get(scope) ?? []);
}

/** Whether one of those scopes stands for this claim. */
export function isClaimOfScope(name: string): boolean {
  return [...claims.values()].some((names) => names.includes(name));
}
