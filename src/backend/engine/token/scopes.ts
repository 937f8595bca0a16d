import { readScope } from "../../../oauth/scope.ts";
import type { Client, Service } from "../management/settings-memo.ts";

/** The scopes that a token gets, or that none of those asked for can be granted. */
export type GrantedScopes = { readonly scopes: readonly string[] } | { readonly refused: true };

/**
 * Decides over the `scope` of a token request (RFC 6749 §3.3).
 *
 * Scopes that service or client do not have are dropped; when nothing is left of what was asked, the request is
 * refused. A request without `scope` gets the service's default entries that the client may have, possibly none.
 */
export function grantScopes(service: Service, client: Client, requested: string | undefined): GrantedScopes {
  const supported = service.settings.supportedScopes;
  const requestable = client.settings.extension?.requestableScopes;
  const mayHave = (name: string): boolean => requestable === undefined || requestable.includes(name);
  if (requested === undefined) {
    const defaults = supported.filter((scope) => scope.defaultEntry === true && mayHave(scope.name));
    return { scopes: defaults.map((scope) => scope.name) };
  }
  const reading = readScope(requested);
  if (!reading.ok) return { refused: true };
  const scopes = reading.scopes.filter((name) => mayHave(name) && supported.some((scope) => scope.name === name));
  return scopes.length === 0 ? { refused: true } : { scopes };
}

/** Decides over the `scope` of a refresh: all that was granted, or that part of it which is asked for (RFC 6749 §6). */
export function narrowScopes(granted: readonly string[], requested: string | undefined): GrantedScopes {
  if (requested === undefined) return { scopes: granted };
  const reading = readScope(requested);
  const covered = reading.ok && reading.scopes.every((scope) => granted.includes(scope));
  return covered ? { scopes: reading.scopes } : { refused: true };
}
