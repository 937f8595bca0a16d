import { scopeClaims } from "../../../oauth/openid-parameters.ts";
import { readScope } from "../../../oauth/scope.ts";
import type { ResultCode } from "../answer/result.ts";
import type { Client, Service } from "../settings/service-and-client.ts";
import { grantScopes } from "../grant/scopes.ts";

/** The scopes that a request can get. */
export type RequestedScopes = { readonly scopes: readonly string[] } | { readonly error: ResultCode };

/**
 * Decides over the `scope` of an authorization request (RFC 6749 §3.3).
 *
 * Scopes that the service or the client lacks are dropped. If none remain, or none were requested, the service's
 * default entries take their place. If there are no default entries either, a request with `scope` is refused, and one
 * without gets a code without scopes.
 *
 * An OpenID request gets `offline_access` only with the prompt `consent` (OpenID Connect Core §11).
 */
export function requestedScopes(
  service: Service,
  client: Client,
  requested: string | undefined,
  prompts: readonly string[],
): RequestedScopes {
  const defaults = grantScopes(service, client, undefined);
  if (requested === undefined) return defaults as { scopes: readonly string[] };
  if ("error" in readScope(requested)) return { error: "A007303" };
  const granted = grantScopes(service, client, requested);
  if ("error" in granted) {
    return "error" in defaults || defaults.scopes.length === 0 ? { error: "A007305" } : defaults;
  }
  const offline = !granted.scopes.includes("openid") || prompts.includes("consent");
  return { scopes: offline ? granted.scopes : granted.scopes.filter((scope) => scope !== "offline_access") };
}

/** The claims that the service supports; all of them when it lists none (OpenID Connect Discovery §3). */
export function supportedClaimNames({ settings }: Service, names: readonly string[]): string[] {
  const { supportedClaims } = settings;
  return [...new Set(names)].filter((name) => supportedClaims.length === 0 || supportedClaims.includes(name));
}

/**
 * The names of the claims requested at the UserInfo endpoint, by scope (OpenID Connect Core §5.4) or one by one (§5.5).
 */
export function claimsAtUserInfo(service: Service, scopes: readonly string[], asked: readonly string[]): string[] {
  return supportedClaimNames(service, [...scopeClaims(scopes), ...asked]);
}
