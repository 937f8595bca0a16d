import type { StoredRefreshToken } from "../../store/store.ts";
import { expiryAfter, refreshTokenDuration } from "../grant/durations.ts";
import type { Client, Service } from "../settings/service-and-client.ts";
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

/** A refresh: the token as kept and as sent, and what the new access token is bound to. */
interface Refresh {
  readonly token: StoredRefreshToken;
  readonly value: string;
  readonly x5tS256: string | undefined;
  /** In seconds; 0 and `null`: none. */
  readonly requestedDuration: number | null | undefined;
  readonly now: number;
}

/**
 * The refresh token that goes with the tokens of a refresh: another, or the same again where the service says so.
 *
 * A public client's that is bound to no certificate is never kept: it must be one or the other (RFC 9700 §2.2.2).
 * Either way it stands for all that was granted, however little this refresh has asked for (RFC 6749 §6).
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
