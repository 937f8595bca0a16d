import { scopeClaims } from "../../../oauth/openid-parameters.ts";
import { readScope } from "../../../oauth/scope.ts";
import type { ResultCode } from "../answer/result.ts";
import type { Client, Service } from "../settings/service-and-client.ts";
import { grantScopes } from "../grant/scopes.ts";

/** What a request can get of the scopes that it asks for. */
export type RequestedScopes = { readonly scopes: readonly string[] } | { readonly refusedWith: ResultCode };

/**
 * Decides over the `scope` of an authorization request (RFC 6749 §3.3).
 *
 * Scopes that service or client do not have are dropped. When nothing is left of them, or none are asked for, the
 * service's default entries take their place; when there are none of these either, what was asked for in vain is
 * refused, and a request without `scope` gets a code without scopes.
 *
 * An OpenID request gets `offline_access` only with the prompt for consent (OpenID Connect Core §11).
 */
export function requestedScopes(
  service: Service,
  client: Client,
  requested: string | undefined,
  prompts: readonly string[],
): RequestedScopes {
  const defaults = grantScopes(service, client, undefined);
  if (requested === undefined) return defaults as { scopes: readonly string[] };
  if ("error" in readScope(requested)) return { refusedWith: "A007303" };
  const granted = grantScopes(service, client, requested);
  if ("refused" in granted) {
    return "refused" in defaults || defaults.scopes.length === 0 ? { refusedWith: "A007305" } : defaults;
  }
  const offline = !granted.scopes.includes("openid") || prompts.includes("consent");
  return { scopes: offline ? granted.scopes : granted.scopes.filter((scope) => scope !== "offline_access") };
}

/** Those that the service says it has; all of them when it says nothing (OpenID Connect Discovery §3). */
export function supportedClaimNames({ settings }: Service, names: readonly string[]): string[] {
  const { supportedClaims } = settings;
  return [...new Set(names)].filter((name) => supportedClaims.length === 0 || supportedClaims.includes(name));
}

/** The names of the claims that are asked for at the UserInfo endpoint, by scope (OpenID Connect Core §5.4) or one by one (§5.5). */
export function claimsAtUserInfo(service: Service, scopes: readonly string[], asked: readonly string[]): string[] {
  return supportedClaimNames(service, [...scopeClaims(scopes), ...asked]);
}
