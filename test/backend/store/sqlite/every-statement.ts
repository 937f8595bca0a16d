import type { DatabaseSync } from "node:sqlite";
import type { Command } from "../../../../src/backend/store/command.ts";
import { createBatch } from "../../../../src/backend/store/sqlite/batch.ts";
import { createSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import { createInThreadHost, createWriter } from "../../../../src/backend/store/sqlite/writer.ts";
import type { Store } from "../../../../src/backend/store/store.ts";
import {
  consumeTicket,
  digest,
  endGrant,
  exchange,
  invalidateToken,
  issueCode,
  issueForTicket,
  issueGrant,
  issueTokens,
  keepTicket,
  putConfiguration,
  refresh,
  revoke,
  revokeTokens,
  rotate,
  twoServices,
  updateTicket,
  updateToken,
  useAssertion,
} from "../commands.ts";

/** The store over a connection, on this thread, and every SQL text that it has prepared; closing it closes nothing. */
export function openRecorded(db: DatabaseSync): { readonly store: Store; readonly prepared: ReadonlySet<string> } {
  const prepared = new Set<string>();
  const recording = new Proxy(db, {
    get(target, name) {
      if (name === "prepare") {
        return (sql: string) => {
          prepared.add(sql);
          return target.prepare(sql);
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value as (...values: unknown[]) => unknown).bind(target) : value;
    },
  });
  const writer = createWriter(createInThreadHost(createBatch(recording), () => undefined));
  return { store: createSqliteStore(writer, recording, () => writer.close()), prepared };
}

/** The service and the client of {@link twoServices}, and the user whose the grants of these commands are. */
const owners = [{}, { clientId: 11 }, { subject: "user" }, { clientId: 11, subject: "user" }] as const;

type Use = (store: Store) => Promise<unknown>;

async function run(store: Store, ...commands: readonly Command[]): Promise<void> {
  // Again, too: what tells that it was done before is a statement of its own.
  for (const command of commands) {
    for (const time of ["once", "again"]) {
      const outcome = await store.run(command);
      if (outcome !== "done") throw new Error(`${command.name}, ${time}: ${outcome}`);
    }
  }
}

/** Every command there is, in every form whose SQL differs: one that is new does not compile until it is here. */
const commands = {
  "put-configuration": async (store) => {
    await run(store, twoServices(), putConfiguration({ id: 1, clients: [{ id: 11 }] }), twoServices());
    const mayRemove = [{ serviceId: 2 }, { serviceId: 1, clientId: 12 }];
    await run(store, { ...putConfiguration({ id: 1, clients: [{ id: 11 }] }), mayRemove }, twoServices());
  },
  "keep-ticket": (store) => run(store, keepTicket()),
  "update-ticket": async (store) => {
    const ticket = keepTicket();
    await run(store, ticket, updateTicket(ticket));
  },
  "consume-ticket": async (store) => {
    const ticket = keepTicket();
    await run(store, ticket, consumeTicket(ticket));
  },
  "issue-code": async (store) => {
    const ticket = keepTicket();
    await run(store, ticket, issueCode(ticket));
  },
  "issue-tokens": async (store) => {
    const [ticket, password] = [keepTicket(), keepTicket({ kind: "password" })];
    const code = issueCode(ticket);
    const [family, id] = [exchange(code), Buffer.from(digest()).toString("hex")];
    await run(store, issueTokens(), issueGrant(id), password, issueForTicket(password, `${id}-p`));
    await run(store, ticket, code, family, rotate(family));
    const kept = issueGrant(`${id}-k`);
    await run(store, kept, refresh(kept, 9_000), refresh(kept));
  },
  "use-assertion": (store) => run(store, useAssertion()),
  "update-token": async (store) => {
    const family = issueGrant(Buffer.from(digest()).toString("hex"));
    await run(store, family, updateToken(family, { expiresAt: 1, refreshTokenExpiresAt: 1 }));
  },
  "revoke-tokens": async (store) => {
    for (const owner of owners.slice(1)) await run(store, revokeTokens(owner));
  },
  "revoke-access-token": async (store) => {
    const token = issueTokens();
    await run(store, token, revoke(token));
  },
  "invalidate-token": (store) => run(store, invalidateToken(digest())),
  "end-grant": async (store) => {
    const grantId = Buffer.from(digest()).toString("hex");
    await run(store, issueGrant(grantId), endGrant(grantId));
  },
} satisfies Record<Command["name"], Use>;

/** Every method there is, in every form whose SQL differs. */
const methods = {
  readService: (store) => store.readService(1),
  readClient: async (store) => {
    await store.readClient(1, { clientId: 11 });
    await store.readClient(1, { clientIdAlias: "eleven" });
  },
  readServicesAfter: (store) => store.readServicesAfter(0, 10),
  readClientsAfter: (store) => store.readClientsAfter({ serviceId: 0, clientId: 0 }, 10),
  readLiveTokens: async (store) => {
    await store.readLiveTokens({ serviceId: 1 }, 1_000);
    await store.readLiveTokens({ serviceId: 1, clientId: 11 }, 1_000);
  },
  readAccessToken: (store) => store.readAccessToken(1, digest()),
  readRefreshToken: (store) => store.readRefreshToken(1, digest()),
  readTicket: (store) => store.readTicket(1, digest()),
  readCode: (store) => store.readCode(1, digest()),
  listAccessTokens: async (store) => {
    await run(store, issueTokens({ subject: "user" }));
    for (const owner of owners) {
      for (const status of ["valid", "invalid", "all"] as const) {
        await store.listAccessTokens(1, { ...owner, status, now: 1_000, start: 0, end: 2, most: 10 });
      }
    }
  },
  countTokens: async (store) => {
    for (const of of [...owners.slice(1), { grantId: "grant" }]) await store.countTokens(1, { of, now: 1, most: 10 });
  },
  readInvalidationEvents: async (store) => {
    const { cursor: start } = await store.readInvalidationEvents({ limit: 1 });
    await run(store, revokeTokens({ clientId: 12 }));
    await store.readInvalidationEvents({ after: start, limit: 1 });
    await store.readInvalidationEvents({ after: `${start.split(":")[0] ?? ""}:0`, limit: 1 });
  },
  run: async (store) => {
    for (const use of Object.values<Use>(commands)) await use(store);
  },
  sweep: (store) => store.sweep(1, 10),
  sweepInvalidationEvents: (store) => store.sweepInvalidationEvents(2_001, 10),
  checkSchema: (store) => store.checkSchema(),
  probeWrite: (store) => store.probeWrite(),
  hasLostWriter: (store) => Promise.resolve(store.hasLostWriter()),
  readClock: (store) => store.readClock(),
  keepClock: (store) => store.keepClock({ actedOn: 1_000, settled: false }),
  close: () => Promise.resolve(),
} satisfies Record<keyof Store, Use>;

/** Has the store do everything that it can do, so that it prepares every statement that it has. */
export async function useEverything(store: Store): Promise<void> {
  await run(store, twoServices());
  for (const use of Object.values<Use>(methods)) await use(store);
}

/**
 * The steps of a statement's plan that walk through rows without a bound, or sort them; none for a good one.
 *
 * Services and clients are as many as are configured: they are walked through when a configuration is put, and where an
 * index begins with the service. So is what a bounded part of the same statement has found. A walk in the order of an
 * index is bounded by a limit.
 */
export function unboundedSteps(db: DatabaseSync, sql: string): string[] {
  if (/^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)/.test(sql)) return [];
  const steps = db
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map(({ detail }) => String(detail));
  const limited = /ORDER BY [^()]* LIMIT/.test(sql);
  return steps.filter(
    (step) =>
      step.includes("AUTOMATIC") ||
      step.includes("TEMP B-TREE") ||
      (!limited && !boundedRows.test(step) && walks.test(step)),
  );
}

/** Of a table, or of all that a service has. */
const walks = /^SCAN |^SEARCH .*\(service_id=\?\)$/;
const boundedRows =
  /^(SCAN|SEARCH) (CONSTANT ROW|s|c|n|service|client|store_epoch|store_state|sqlite_schema|migration|w|latest)\b/;
