export type ScopeReading = readonly string[] | { readonly error: "malformed" | "too many" };

const scopeToken = /^[\x21\x23-\x5B\x5D-\x7E]+$/;
const scopeTokens = /^[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*$/;

/** More scopes than any service has. */
const mostScopes = 1000;

/**
 * Reads a `scope` value: scope tokens separated by single spaces (RFC 6749 §3.3), 1000 at most. Keeps the order and drops
 * duplicates.
 *
 * The empty string has no scopes, because a parameter without a value counts as omitted (RFC 6749 §3.2).
 *
 * @example readScope("read write read") // ["read", "write"]
 */
export function readScope(text: string): ScopeReading {
  if (text === "") return [];
  if (!scopeTokens.test(text)) return { error: "malformed" };
  const tokens = text.split(" ", mostScopes + 1);
  return tokens.length > mostScopes ? { error: "too many" } : [...new Set(tokens)];
}

/**
 * Whether a text is one scope token (RFC 6749 §3.3).
 *
 * @example isScopeToken("read write") // false
 */
export function isScopeToken(text: string): boolean {
  return scopeToken.test(text);
}

/**
 * Writes scope tokens as a `scope` value (RFC 6749 §3.3).
 *
 * @example formatScope(["read", "write"]) // "read write"
 */
export function formatScope(scopes: readonly string[]): string {
  return scopes.join(" ");
}
