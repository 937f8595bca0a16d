import type { Context } from "../context.ts";
import type { TokenUpdateRequest, TokenUpdateResponse } from "../../../contract/auth-token-update.ts";
import { isThumbprint } from "../../../oauth/confirmation.ts";
import { tokenDigest } from "../../../oauth/token-digest.ts";
import type { UpdateToken } from "../../store/command.ts";
import type { StoredAccessToken } from "../../store/store.ts";
import { result, type ResultCode } from "../answer/result.ts";
import { type Decided, newAttempt, runDecided } from "../answer/run-decided.ts";
import type { Service } from "../settings/service-and-client.ts";
import { wholeSeconds } from "../grant/durations.ts";
import { hasScopes } from "../grant/scopes.ts";
import { readTokenHash } from "./token-identifier.ts";

type Changes = UpdateToken["changes"];

/** Changes an active access token; the event of the change reaches every API that has cached it. */
export async function updateToken(context: Context, request: TokenUpdateRequest): Promise<TokenUpdateResponse> {
  const { service } = context;
  const digest = readSelector(request);
  if (digest === undefined) return refused("A134201");
  if (digest === "nothing") return refused("A134202");
  const changes = readChanges(service, request);
  if ("error" in changes) return refused(changes.error);
  return runDecided(context, () => decideUpdate(context, request, digest, changes));
}

async function decideUpdate(
  { store, clock, random, service }: Context,
  request: TokenUpdateRequest,
  digest: Uint8Array,
  changes: Changes,
): Promise<Decided<TokenUpdateResponse>> {
  const serviceId = service.settings.apiKey;
  const now = clock();
  const token = await store.readAccessToken(serviceId, digest);
  // An expired token stays expired.
  if (token === undefined || token.expiresAt <= now) return { outcome: refused("A134202") };
  if (changes.refreshTokenExpiresAt !== undefined && !hasRefreshToken(token, now)) {
    return { outcome: refused("A134205") };
  }
  const outcome = responseOf(service, request, token, changes);
  if (Object.keys(changes).length === 0) return { outcome };
  const command: UpdateToken = {
    name: "update-token",
    attempt: newAttempt(random),
    serviceId,
    // The digest of the identifier, also when the caller named the JWT.
    digest: token.digest,
    changedAt: now,
    changes,
  };
  return { outcome, command };
}

/** Nor is a refresh token that has expired. */
function hasRefreshToken({ refreshTokenExpiresAt }: StoredAccessToken, now: number): boolean {
  return refreshTokenExpiresAt !== undefined && refreshTokenExpiresAt > now;
}

/** The token's digest; `nothing` for what no token can have. */
function readSelector({ accessToken, accessTokenHash }: TokenUpdateRequest): Uint8Array | "nothing" | undefined {
  const byHash = accessTokenHash ? (readTokenHash(accessTokenHash) ?? "nothing") : undefined;
  const byValue = accessToken ? tokenDigest(accessToken) : undefined;
  if (byHash === undefined || byValue === undefined) return byHash ?? byValue;
  return byHash !== "nothing" && byValue.equals(byHash) ? byValue : "nothing";
}

function readChanges(
  service: Service,
  { scopes, properties, certificateThumbprint: x5tS256, ...request }: TokenUpdateRequest,
): Changes | { readonly error: ResultCode } {
  if (!hasScopes(service, scopes ?? [])) return { error: "A134206" };
  if (x5tS256 && !isThumbprint(x5tS256)) return { error: "A134207" };
  const { accessTokenExpiresAt: expiresAt, refreshTokenExpiresAt } = request;
  return {
    ...(scopes && scopes.length > 0 && { scopes: [...new Set(scopes)] }),
    ...(expiresAt && { expiresAt: wholeSeconds(expiresAt) }),
    ...(properties && properties.length > 0 && { properties }),
    ...(x5tS256 && { x5tS256 }),
    ...(refreshTokenExpiresAt && { refreshTokenExpiresAt: wholeSeconds(refreshTokenExpiresAt) }),
  };
}

function responseOf(
  service: Service,
  { accessToken }: TokenUpdateRequest,
  token: StoredAccessToken,
  changes: Changes,
): TokenUpdateResponse {
  const scopes = changes.scopes ?? token.scopes;
  const properties = changes.properties ?? token.properties;
  const refreshTokenExpiresAt = changes.refreshTokenExpiresAt ?? token.refreshTokenExpiresAt;
  return {
    ...result("A135001"),
    action: "OK",
    ...(accessToken && { accessToken }),
    tokenType: service.settings.accessTokenType,
    accessTokenExpiresAt: changes.expiresAt ?? token.expiresAt,
    ...(refreshTokenExpiresAt !== undefined && { refreshTokenExpiresAt }),
    ...(scopes.length !== 0 && { scopes: [...scopes] }),
    ...(properties !== undefined && { properties: [...properties] }),
  };
}

function refused(code: ResultCode): TokenUpdateResponse {
  return { ...result(code), action: code === "A134202" ? "NOT_FOUND" : "BAD_REQUEST" };
}
