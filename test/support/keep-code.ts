import { randomBytes, randomUUID } from "node:crypto";
import type { GrantDetails } from "../../src/backend/engine/grant/grant-details.ts";
import type { IssueCode } from "../../src/backend/store/command.ts";
import type { Store } from "../../src/backend/store/store.ts";
import { tokenDigest } from "../../src/oauth/token-digest.ts";
import { codeChallenge, redirectUri } from "./authorization.ts";
import { serviceId } from "./settings.ts";

/** What of a code a test may choose; instants in milliseconds. */
export type CodeMembers = Partial<Omit<IssueCode["code"], "details" | "digest">> & {
  readonly clientId?: number;
  readonly details?: GrantDetails;
};

export interface KeptCode {
  readonly code: string;
  readonly grantId: string;
}

async function decidedUpon(store: Store, clientId: number) {
  const client = await store.readClient(serviceId, { clientId });
  if (client === undefined) throw new Error("The client is not registered.");
  const { serviceVersion, version: clientVersion } = client;
  return { attempt: randomBytes(16), serviceId, serviceVersion, clientId, clientVersion };
}

/** Puts the ticket of an authorization request straight into the store. */
export async function keepTicket(store: Store, now: number, clientId = 1): Promise<{ readonly ticket: string }> {
  const ticket = randomBytes(32).toString("base64url");
  const outcome = await store.run({
    name: "keep-ticket",
    ...(await decidedUpon(store, clientId)),
    ticket: {
      digest: tokenDigest(ticket),
      kind: "authorization",
      request: "{}",
      context: undefined,
      createdAt: now,
      expiresAt: now + 86_400_000,
    },
  });
  if (outcome !== "done") throw new Error("The ticket could not be kept.");
  return { ticket };
}

/** Puts an authorization code straight into the store, as if a user had agreed `now`; good for a minute. */
export async function keepCode(store: Store, now: number, members: CodeMembers = {}): Promise<KeptCode> {
  const { clientId = 1, details = {}, ...rest } = members;
  const { ticket } = await keepTicket(store, now, clientId);
  const code = randomBytes(32).toString("base64url");
  const grantId = randomUUID();
  const outcome = await store.run({
    name: "issue-code",
    ...(await decidedUpon(store, clientId)),
    ticketDigest: tokenDigest(ticket),
    createdAt: now,
    code: {
      digest: tokenDigest(code),
      grantId,
      subject: "user-1",
      redirectUri,
      codeChallenge,
      scopes: ["read", "write"],
      resources: [],
      details: JSON.stringify(details),
      expiresAt: now + 60_000,
      ...rest,
    },
  });
  if (outcome !== "done") throw new Error("The code could not be kept.");
  return { code, grantId };
}
