import type { StoredRefreshToken } from "../../store/store.ts";
import type { Client, Service } from "../management/settings-memo.ts";
import { expiryAfter, refreshTokenDuration } from "./durations.ts";
import { bindingOfRefreshToken } from "./new-refresh-token.ts";
import type { RefreshTokenDecision } from "./token-set.ts";

/** A refresh: the token as kept and as sent, and what the new access token is bound to. */
interface Refresh {
  readonly token: StoredRefreshToken;
  readonly value: string;
  readonly x5tS256: string | undefined;
  /** In seconds; 0 and `null`: none. */
  readonly wishedDuration: number | null | undefined;
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
    ...(kept ? { kept: refresh.value } : {}),
    scopes: token.scopes,
    resources: token.resources,
    expiresAt: expiryOf(service, client, refresh, kept),
    x5tS256: token.x5tS256 ?? bindingOfRefreshToken(client, refresh.x5tS256),
  };
}

/** A wish of the API caller's counts before what the service says of tokens that are kept and that are not. */
function expiryOf(service: Service, client: Client, { token, wishedDuration, now }: Refresh, kept: boolean): number {
  const wished = (wishedDuration ?? 0) > 0;
  const { refreshTokenDurationKept, refreshTokenDurationReset } = service.settings;
  const staysAsItWas = kept ? !refreshTokenDurationReset : refreshTokenDurationKept;
  if (staysAsItWas && !wished) return token.expiresAt;
  return expiryAfter(now, refreshTokenDuration(service, client, wishedDuration));
}
