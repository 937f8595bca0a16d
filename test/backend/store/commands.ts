import { randomBytes } from "node:crypto";
import type {
  ConsumeTicket,
  EndGrant,
  InvalidateToken,
  IssueCode,
  IssueTokens,
  KeepTicket,
  PutConfiguration,
  RevokeAccessToken,
  RevokeTokens,
  UpdateTicket,
  UpdateToken,
  UseAssertion,
} from "../../../src/backend/store/command.ts";

export const attempt = (): Uint8Array => randomBytes(16);
export const digest = (): Uint8Array => new Uint8Array(randomBytes(32));

/** A tag as the engine makes it: equal exactly when the settings are. */
export const tagOf = (settings: string): Uint8Array => Buffer.alloc(32, settings);

interface ConfiguredClient {
  readonly id: number;
  readonly alias?: string;
  readonly settings?: string;
}

export interface ConfiguredService {
  readonly id: number;
  readonly settings?: string;
  readonly clients?: readonly ConfiguredClient[];
}

/** What {@link twoServices} puts; most tests of what a deletion ends do not ask whether it is allowed. */
const everyOwner: PutConfiguration["mayRemove"] = [{ serviceId: 1 }, { serviceId: 2 }].flatMap(({ serviceId }) => [
  { serviceId },
  ...[11, 12, 21].map((clientId) => ({ serviceId, clientId })),
]);

export function putConfiguration(...services: readonly ConfiguredService[]): PutConfiguration {
  return {
    name: "put-configuration",
    attempt: attempt(),
    changedAt: 1_500,
    mayRemove: everyOwner,
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
  const refreshToken = { digest: digest(), scopes: [], resources: [], expiresAt: 9_000, x5tS256: undefined };
  return { ...issueTokens({ subject: "user", ...changes }), grant: { grantId }, refreshToken };
}

export function revoke({ accessToken, serviceId }: IssueTokens): RevokeAccessToken {
  return { name: "revoke-access-token", attempt: attempt(), serviceId, digest: accessToken.digest, endedAt: 2_000 };
}

export function endGrant(grantId: string, serviceId = 1): EndGrant {
  return { name: "end-grant", attempt: attempt(), serviceId, grantId, endedAt: 2_000 };
}

type Owners = Pick<IssueTokens, "serviceId" | "serviceVersion" | "clientId" | "clientVersion">;

const clientEleven: Owners = { serviceId: 1, serviceVersion: 1, clientId: 11, clientVersion: 1 };

export function keepTicket(changes: Partial<KeepTicket["ticket"]> = {}, owners: Partial<Owners> = {}): KeepTicket {
  return {
    name: "keep-ticket",
    attempt: attempt(),
    ...clientEleven,
    ...owners,
    ticket: {
      digest: digest(),
      kind: "authorization",
      request: '{"scope":"read"}',
      context: undefined,
      createdAt: 1_000,
      expiresAt: 8_000,
      ...changes,
    },
  };
}

export function updateTicket({ serviceId, ticket }: KeepTicket, context = "new"): UpdateTicket {
  return { name: "update-ticket", attempt: attempt(), serviceId, digest: ticket.digest, context };
}

export function consumeTicket({ serviceId, ticket }: KeepTicket): ConsumeTicket {
  return { name: "consume-ticket", attempt: attempt(), serviceId, digest: ticket.digest, consumedAt: 1_500 };
}

export function issueCode(
  { serviceId, serviceVersion, clientId, clientVersion, ticket }: KeepTicket,
  changes: Partial<IssueCode["code"]> = {},
): IssueCode {
  return {
    name: "issue-code",
    attempt: attempt(),
    ...{ serviceId, serviceVersion, clientId, clientVersion },
    ticketDigest: ticket.digest,
    createdAt: 1_600,
    code: {
      digest: digest(),
      grantId: `grant-${Buffer.from(digest()).toString("hex", 0, 6)}`,
      subject: "user",
      redirectUri: undefined,
      codeChallenge: undefined,
      scopes: [],
      resources: [],
      details: '{"acr":"1"}',
      expiresAt: 3_000,
      ...changes,
    },
  };
}

/** The first tokens of a code's grant. */
export function exchange({ code, ...issue }: IssueCode, changes: Parameters<typeof issueTokens>[0] = {}) {
  const { serviceId, serviceVersion, clientId, clientVersion } = issue;
  const owners = { serviceId, serviceVersion, clientId, clientVersion };
  return {
    ...issueGrant(code.grantId, { ...owners, createdAt: 2_000, ...changes }),
    grant: { grantId: code.grantId, details: code.details },
    source: { kind: "authorization-code", digest: code.digest } as const,
  };
}

/** The tokens of a password grant. */
export function issueForTicket({ ticket }: KeepTicket, grantId = "grant") {
  return { ...issueGrant(grantId), source: { kind: "ticket", digest: ticket.digest } as const };
}

type Refreshable = Required<Pick<IssueTokens, "grant" | "refreshToken">>;

export function rotate({ grant, refreshToken }: Refreshable, changes: Parameters<typeof issueTokens>[0] = {}) {
  return {
    ...issueGrant(grant.grantId, { createdAt: 2_500, ...changes }),
    source: {
      kind: "refresh-token",
      digest: refreshToken.digest,
      sealedAnswer: Buffer.from("sealed answer"),
    } as const,
  };
}

/** A refresh that leaves the refresh token as it is, but for its new end. */
export function refresh(
  { grant, refreshToken }: Refreshable,
  expiresAt?: number,
  changes: Parameters<typeof issueTokens>[0] = {},
) {
  return {
    ...issueTokens({ subject: "user", createdAt: 2_500, ...changes }),
    grant: { grantId: grant.grantId },
    source: { kind: "kept-refresh-token", digest: refreshToken.digest, expiresAt } as const,
  };
}

export function invalidateToken(...digests: readonly Uint8Array[]): InvalidateToken {
  return { name: "invalidate-token", attempt: attempt(), serviceId: 1, digests, at: 2_000 };
}

export function useAssertion(changes: Partial<UseAssertion> = {}): UseAssertion {
  return {
    name: "use-assertion",
    attempt: attempt(),
    serviceId: 1,
    clientId: 11,
    digest: digest(),
    expiresAt: 4_000,
    ...changes,
  };
}

export function updateToken({ accessToken, serviceId }: IssueTokens, changes: UpdateToken["changes"]): UpdateToken {
  return { name: "update-token", attempt: attempt(), serviceId, digest: accessToken.digest, changedAt: 1_800, changes };
}

export function revokeTokens(of: { clientId?: number; subject?: string }, serviceId = 1): RevokeTokens {
  return {
    name: "revoke-tokens",
    attempt: attempt(),
    serviceId,
    clientId: of.clientId,
    subject: of.subject,
    endedAt: 2_000,
  };
}
