import type { StoredRefreshToken } from "../../store/store.ts";
import { expiryAfter, refreshTokenDuration } from "../grant/durations.ts";
import type { Client, Service } from "../settings/service-and-client.ts";
import type { RefreshTokenDecision } from "./token-set.ts";

/**
 * The refresh token for the first tokens of a grant, when service and client have the refresh grant.
 *
 * It covers all that the user agreed to, even if the first access token has less. A public client's token is bound to
 * the certificate of the access token (RFC 8705 §4); a confidential client's is bound by its authentication.
 */
export function newRefreshToken(
  service: Service,
  client: Client,
  {
    now,
    requestedDuration,
    ...granted
  }: {
    readonly scopes: readonly string[];
    readonly resources: readonly string[];
    readonly x5tS256: string | undefined;
    readonly chosen?: string | undefined;
    /** In seconds; 0 and `null`: none. */
    readonly requestedDuration: number | null | undefined;
    readonly now: number;
  },
): { readonly refreshToken?: RefreshTokenDecision } {
  if (!mayRefresh(service, client)) return {};
  const duration = refreshTokenDuration(service, client, requestedDuration);
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
function bindingOfRefreshToken({ settings }: Client, x5tS256: string | undefined): string | undefined {
  return settings.clientType === "PUBLIC" ? x5tS256 : undefined;
}

/** Whether service and client both have the refresh grant. */
export function mayRefresh(service: Service, client: Client): boolean {
  const { supportedGrantTypes } = service.settings;
  return supportedGrantTypes.includes("REFRESH_TOKEN") && client.settings.grantTypes.includes("REFRESH_TOKEN");
}

/** A refresh: the token as stored and as sent, and the binding of the new access token. */
interface Refresh {
  readonly token: StoredRefreshToken;
  readonly value: string;
  readonly x5tS256: string | undefined;
  /** In seconds; 0 and `null`: none. */
  readonly requestedDuration: number | null | undefined;
  readonly now: number;
}

/**
 * The refresh token for the tokens of a refresh: a new one, or the same one if the service says so.
 *
 * A public client's token that is bound to no certificate is always replaced: it must be bound or rotated (RFC 9700
 * §2.2.2). It covers all that was granted, however little this refresh requested (RFC 6749 §6).
 */
export function successorOf(service: Service, client: Client, refresh: Refresh): RefreshTokenDecision {
  const { token } = refresh;
  const isPublic = client.settings.clientType === "PUBLIC";
  const kept = service.settings.refreshTokenKept && (!isPublic || token.x5tS256 !== undefined);
  return {
    ...(kept && { kept: refresh.value }),
    scopes: token.scopes,
    resources: token.resources,
    expiresAt: expiryOf(service, client, refresh, kept),
    x5tS256: token.x5tS256 ?? bindingOfRefreshToken(client, refresh.x5tS256),
  };
}

/** `refreshTokenDuration` in the request overrides the settings of the service. */
function expiryOf(service: Service, client: Client, { token, requestedDuration, now }: Refresh, kept: boolean): number {
  const isRequested = (requestedDuration ?? 0) > 0;
  const { refreshTokenDurationKept, refreshTokenDurationReset } = service.settings;
  const staysAsItWas = kept ? !refreshTokenDurationReset : refreshTokenDurationKept;
  if (staysAsItWas && !isRequested) return token.expiresAt;
  return expiryAfter(now, refreshTokenDuration(service, client, requestedDuration));
}
