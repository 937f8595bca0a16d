import type { StoredAccessToken } from "../../store/store.ts";

/** Whether another access token can be had with the refresh token of this one's grant, or could have been once. */
export type Refreshability = "refreshable" | "refresh-token-expired" | "none";

/** `now` is in milliseconds since 1970. */
export function refreshabilityOf({ refreshTokenExpiresAt }: StoredAccessToken, now: number): Refreshability {
  if (refreshTokenExpiresAt === undefined) return "none";
  return now < refreshTokenExpiresAt ? "refreshable" : "refresh-token-expired";
}
