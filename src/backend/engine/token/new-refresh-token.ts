import type { Client, Service } from "../management/settings-memo.ts";
import { expiryAfter, refreshTokenDuration } from "./durations.ts";
import type { RefreshTokenDecision } from "./token-set.ts";

/**
 * The refresh token that goes with the first tokens of a grant, where service and client have the refresh grant.
 *
 * It stands for all that the user agreed to, whatever the first access token has of it. A public client's is bound to
 * the certificate that its access token is bound to (RFC 8705 §4); a confidential client's through its authentication.
 */
export function newRefreshToken(
  service: Service,
  client: Client,
  {
    now,
    wishedDuration,
    ...granted
  }: {
    readonly scopes: readonly string[];
    readonly resources: readonly string[];
    readonly x5tS256: string | undefined;
    readonly chosen?: string | undefined;
    /** In seconds; 0 and `null`: none. */
    readonly wishedDuration: number | null | undefined;
    readonly now: number;
  },
): { readonly refreshToken?: RefreshTokenDecision } {
  if (!mayRefresh(service, client)) return {};
  const duration = refreshTokenDuration(service, client, wishedDuration);
  return {
    refreshToken: {
      chosen: granted.chosen,
      scopes: granted.scopes,
      resources: granted.resources,
      expiresAt: expiryAfter(now, duration),
      x5tS256: bindingOfRefreshToken(client, granted.x5tS256),
    },
  };
}

/** The certificate that a client's refresh token is bound to, when its access token is bound to `x5tS256`. */
export function bindingOfRefreshToken({ settings }: Client, x5tS256: string | undefined): string | undefined {
  return settings.clientType === "PUBLIC" ? x5tS256 : undefined;
}

/** Whether service and client both have the refresh grant. */
export function mayRefresh(service: Service, client: Client): boolean {
  const { supportedGrantTypes } = service.settings;
  return supportedGrantTypes.includes("REFRESH_TOKEN") && client.settings.grantTypes.includes("REFRESH_TOKEN");
}
