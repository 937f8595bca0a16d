import { readScope } from "../../../oauth/scope.ts";
import type { Client, Service } from "../settings/service-and-client.ts";

/** The scopes of a token, or the error that none of the requested ones can be granted. */
export type GrantedScopes = { readonly scopes: readonly string[] } | { readonly error: "no-scope" };

/**
 * Decides over the `scope` of a token request (RFC 6749 §3.3).
 *
 * Scopes that the service or the client lacks are dropped; if none of the requested ones remain, the request is
 * refused. A request without `scope` gets the service's default entries that the client may have, possibly none.
 */
export function grantScopes(service: Service, client: Client, requested: string | undefined): GrantedScopes {
  if (requested === undefined) {
    const defaults = service.settings.supportedScopes.filter((scope) => scope.defaultEntry === true);
    const names = defaults.map((scope) => scope.name);
    return { scopes: standingScopes(service, client, names) };
  }
  const names = readScope(requested);
  if ("error" in names) return { error: "no-scope" };
  const scopes = standingScopes(service, client, names);
  return scopes.length === 0 ? { error: "no-scope" } : { scopes };
}

/** The scopes that the service has and the client may request now. */
function standingScopes(service: Service, client: Client, scopes: readonly string[]): readonly string[] {
  const requestable = client.settings.extension?.requestableScopes;
  return scopes.filter(
    (name) =>
      (requestable === undefined || requestable.includes(name)) &&
      service.settings.supportedScopes.some((scope) => scope.name === name),
  );
}

/**
 * Decides over scopes that were granted earlier: those that the service or the client has lost since are dropped. If
 * none remain, no token is issued.
 */
export function grantStanding(service: Service, client: Client, granted: readonly string[]): GrantedScopes {
  const scopes = standingScopes(service, client, granted);
  return scopes.length === 0 && granted.length > 0 ? { error: "no-scope" } : { scopes };
}

/** Decides over the `scope` of a refresh: all granted scopes, or the requested part of them (RFC 6749 §6). */
export function narrowScopes(granted: readonly string[], requested: string | undefined): GrantedScopes {
  if (requested === undefined) return { scopes: granted };
  const scopes = readScope(requested);
  if ("error" in scopes) return { error: "no-scope" };
  return scopes.every((scope) => granted.includes(scope)) ? { scopes } : { error: "no-scope" };
}

/** Whether the service has every one of these scopes. */
export function hasScopes({ settings }: Service, scopes: readonly string[]): boolean {
  return scopes.every((name) => settings.supportedScopes.some((scope) => scope.name === name));
}
