import type { Context } from "../context.ts";
import type { TokenListRequest, TokenListResponse } from "../../../contract/auth-token-get-list.ts";
import type { ListedAccessToken, TokenPosition } from "../../store/store.ts";
import { CallRefused } from "../answer/result.ts";
import { findEnabledClient } from "../settings/find-client.ts";
import type { Client } from "../settings/service-and-client.ts";
import type { GrantType } from "../settings/settings.ts";

/** Enough for every instant that a token may expire at. */
const instantOctets = 6;
const digestOctets = 32;
const octetsOfCursor = 2 * instantOctets + digestOctets;

/**
 * Where a list goes on, as an opaque text of 59 characters: the key of the token before.
 *
 * @example formatListCursor({ expiresAt: 1_640_419_200_000, createdAt: 1_640_415_600_000, digest })
 */
export function formatListCursor({ expiresAt, createdAt, digest }: TokenPosition): string {
  const octets = Buffer.alloc(octetsOfCursor);
  octets.writeUIntBE(expiresAt, 0, instantOctets);
  octets.writeUIntBE(createdAt, instantOctets, instantOctets);
  octets.set(digest, 2 * instantOctets);
  return octets.toString("base64url");
}

/** Reads a cursor of the form that the contract demands; "" is the beginning. */
export function readListCursor(text: string): TokenPosition | undefined {
  if (text === "") return undefined;
  // A separate buffer, because it is sent to the store's thread.
  const octets = Buffer.alloc(octetsOfCursor);
  octets.write(text, "base64url");
  return {
    expiresAt: octets.readUIntBE(0, instantOctets),
    createdAt: octets.readUIntBE(instantOctets, instantOctets),
    digest: Uint8Array.from(octets.subarray(2 * instantOctets)),
  };
}

/** The length of a list without a requested slice (Authlete's API). */
const usualLength = 5;
const mostTokens = 1000;
/** Rows read at once, for the slice and for the count; `after` reaches the rest. */
const mostLookedAt = 10_000;

/**
 * Lists access tokens of the service that have not been ended, a bounded piece of work whatever the service has.
 *
 * Throws {@link CallRefused}: 400 `A159202`, `A159204`, `A159205` for a slice that cannot be, 404 `A001212` for an unknown
 * client.
 */
export async function listTokens(
  { store, clock, settings, service }: Context,
  request: TokenListRequest,
): Promise<TokenListResponse> {
  const { start, end } = readSlice(request);
  const identifier = request.clientIdentifier ?? "";
  const client = identifier === "" ? undefined : (await findEnabledClient(settings, service, identifier))?.client;
  if (identifier !== "" && client === undefined) throw new CallRefused(404, "A001212");
  const subject = request.subject ?? "";
  const { totalCount, moreThanCounted, tokens, next } = await store.listAccessTokens(service.settings.apiKey, {
    clientId: client?.settings.clientId,
    subject: subject === "" ? undefined : subject,
    status: statusOf[request.tokenStatus ?? ""],
    now: clock(),
    after: readListCursor(request.after ?? ""),
    start,
    end,
    most: mostLookedAt,
  });
  return {
    start,
    end,
    totalCount,
    ...(moreThanCounted && { totalCountIsLowerBound: true as const }),
    ...(next !== undefined && { next: formatListCursor(next) }),
    ...(client !== undefined && { client: viewOf(client) }),
    ...(subject !== "" && { subject }),
    accessTokens: tokens.map(listed),
  };
}

const statusOf = { VALID: "valid", INVALID: "invalid", ALL: "all", "": "all" } as const;

function readSlice(request: TokenListRequest): { readonly start: number; readonly end: number } {
  const start = request.start ?? 0;
  const end = request.end ?? Math.max(start, Math.min(start + usualLength, mostLookedAt));
  if (start < 0) throw new CallRefused(400, "A159202");
  if (end < start) throw new CallRefused(400, "A159204");
  if (end - start > mostTokens || end > mostLookedAt) throw new CallRefused(400, "A159205");
  return { start, end };
}

function viewOf({ settings }: Client): TokenListResponse["client"] {
  const { clientId, clientIdAlias, clientIdAliasEnabled, clientName, clientType } = settings;
  return {
    clientId,
    ...(clientIdAlias !== undefined && { clientIdAlias }),
    clientIdAliasEnabled,
    ...(clientName !== undefined && { clientName }),
    clientType,
  };
}

function listed(token: ListedAccessToken): TokenListResponse["accessTokens"][number] {
  const { refreshToken, properties } = token;
  return {
    accessTokenHash: base64url(token.digest),
    clientId: token.clientId,
    ...(token.subject !== undefined && { subject: token.subject }),
    grantType: token.grantType as GrantType,
    ...(token.scopes.length !== 0 && { scopes: [...token.scopes] }),
    ...(token.x5tS256 !== undefined && { certificateThumbprint: token.x5tS256 }),
    accessTokenExpiresAt: token.expiresAt,
    ...(refreshToken !== undefined && {
      refreshTokenHash: base64url(refreshToken.digest),
      ...(refreshToken.scopes.length !== 0 && { refreshTokenScopes: [...refreshToken.scopes] }),
      refreshTokenExpiresAt: refreshToken.expiresAt,
    }),
    createdAt: token.createdAt,
    lastRefreshedAt: token.lastRefreshedAt ?? 0,
    ...(properties !== undefined && { properties: [...properties] }),
  };
}

function base64url(digest: Uint8Array): string {
  return Buffer.from(digest).toString("base64url");
}
