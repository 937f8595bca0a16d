import { randomBytes } from "node:crypto";
import type { IssueTokens, PutConfiguration, RevokeAccessToken, EndGrant } from "../../../src/backend/store/command.ts";

export const attempt = (): Uint8Array => randomBytes(16);
export const digest = (): Uint8Array => randomBytes(32);

/** A tag as the engine makes it: equal exactly when the settings are. */
export const tagOf = (settings: string): Uint8Array => Buffer.alloc(32, settings);

interface ConfiguredClient {
  readonly id: number;
  readonly alias?: string;
  readonly settings?: string;
}

interface ConfiguredService {
  readonly id: number;
  readonly settings?: string;
  readonly clients?: readonly ConfiguredClient[];
}

export function putConfiguration(...services: readonly ConfiguredService[]): PutConfiguration {
  return {
    name: "put-configuration",
    attempt: attempt(),
    changedAt: 1_500,
    services: services.map(({ id, settings = `service ${id}`, clients = [] }) => ({
      serviceId: id,
      settings,
      settingsTag: tagOf(settings),
      clients: clients.map(({ id: clientId, alias, settings: text = `client ${clientId}` }) => ({
        clientId,
        clientIdAlias: alias,
        settings: text,
        settingsTag: tagOf(text),
      })),
    })),
  };
}

/** Service 1 with clients 11 (alias "eleven") and 12; service 2 with client 21 (alias "eleven" too). */
export const twoServices = (): PutConfiguration =>
  putConfiguration(
    { id: 1, clients: [{ id: 11, alias: "eleven" }, { id: 12 }] },
    { id: 2, clients: [{ id: 21, alias: "eleven" }] },
  );

/** A client-credentials token of client 11, at the versions of a fresh configuration. */
export function issueTokens(
  changes: Omit<Partial<IssueTokens>, "accessToken"> & {
    readonly accessToken?: Partial<IssueTokens["accessToken"]>;
  } = {},
): IssueTokens {
  const { accessToken, ...rest } = changes;
  return {
    name: "issue-tokens",
    attempt: attempt(),
    serviceId: 1,
    serviceVersion: 1,
    clientId: 11,
    clientVersion: 1,
    subject: undefined,
    createdAt: 1_000,
    ...rest,
    accessToken: {
      digest: digest(),
      grantType: "CLIENT_CREDENTIALS",
      scopes: [],
      resources: [],
      expiresAt: 5_000,
      x5tS256: undefined,
      clientIdAliasUsed: false,
      properties: undefined,
      ...accessToken,
    },
  };
}

/** An access and a refresh token of a grant. */
export function issueGrant(grantId: string, changes: Parameters<typeof issueTokens>[0] = {}) {
  const refreshToken = { digest: digest(), scopes: [], resources: [], expiresAt: 9_000 };
  return { ...issueTokens({ subject: "user", ...changes }), grant: { grantId }, refreshToken };
}

export function revoke({ accessToken, serviceId }: IssueTokens): RevokeAccessToken {
  return { name: "revoke-access-token", attempt: attempt(), serviceId, digest: accessToken.digest, endedAt: 2_000 };
}

export function endGrant(grantId: string, serviceId = 1): EndGrant {
  return { name: "end-grant", attempt: attempt(), serviceId, grantId, endedAt: 2_000 };
}
