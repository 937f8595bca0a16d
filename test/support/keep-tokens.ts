import { randomBytes, randomUUID } from "node:crypto";
import type { IssueTokens } from "../../src/backend/store/command.ts";
import { tokenDigest } from "../../src/oauth/token-digest.ts";
import { startInstant, type EngineByHand } from "./engine.ts";
import { serviceId } from "./settings.ts";

export interface KeptTokens {
  readonly grantId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Milliseconds since 1970. */
  readonly refreshTokenExpiresAt: number;
}

/** Puts a grant with an access token of an hour and a refresh token of a day straight into the store. */
export async function keepTokens(
  { store }: Pick<EngineByHand, "store">,
  {
    clientId,
    now = startInstant,
    grantId = randomUUID(),
    x5tS256,
    ...kept
  }: Partial<Pick<IssueTokens, "source">> & {
    readonly clientId: number;
    /** Milliseconds since 1970. */
    readonly now?: number;
    readonly grantId?: string;
    readonly x5tS256?: string;
    /** Of the access token, if it shall have a JWT form, too. */
    readonly jwt?: string;
  },
): Promise<KeptTokens> {
  const accessToken = randomBytes(32).toString("base64url");
  const refreshToken = randomBytes(32).toString("base64url");
  const refreshTokenExpiresAt = now + 86_400_000;
  const client = await store.readClient(serviceId, { clientId });
  const tokens = { scopes: ["read"], resources: [] };
  const outcome = await store.run({
    name: "issue-tokens",
    attempt: randomBytes(16),
    serviceId,
    serviceVersion: client?.serviceVersion ?? 0,
    clientId,
    clientVersion: client?.version ?? 0,
    grant: { grantId },
    ...(kept.source === undefined ? {} : { source: kept.source }),
    subject: "user-1",
    createdAt: now,
    accessToken: {
      ...tokens,
      digest: tokenDigest(accessToken),
      jwtDigest: kept.jwt === undefined ? undefined : tokenDigest(kept.jwt),
      grantType: "AUTHORIZATION_CODE",
      expiresAt: now + 3_600_000,
      x5tS256,
      clientIdAliasUsed: false,
      properties: undefined,
    },
    refreshToken: {
      ...tokens,
      digest: tokenDigest(refreshToken),
      expiresAt: refreshTokenExpiresAt,
      x5tS256: undefined,
    },
  });
  if (outcome !== "done") throw new Error("The tokens could not be kept.");
  return { grantId, accessToken, refreshToken, refreshTokenExpiresAt };
}
