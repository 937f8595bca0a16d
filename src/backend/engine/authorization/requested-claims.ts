import { scopeClaims } from "../../../oauth/claims-request.ts";
import type { Service } from "../management/settings-memo.ts";

/** Those that the service says it has; all of them when it says nothing (OpenID Connect Discovery §3). */
export function supportedClaimNames({ settings }: Service, names: readonly string[]): string[] {
  const { supportedClaims } = settings;
  return [...new Set(names)].filter((name) => supportedClaims.length === 0 || supportedClaims.includes(name));
}

/** The names of the claims that are asked for at the UserInfo endpoint, by scope (OpenID Connect Core §5.4) or one by one (§5.5). */
export function claimsAtUserInfo(service: Service, scopes: readonly string[], asked: readonly string[]): string[] {
  return supportedClaimNames(service, [...scopeClaims(scopes), ...asked]);
}
