import type { ExecutionContext, TestFn } from "ava";
import type { Command } from "../../../src/backend/store/command.ts";
import { subjectKey } from "../../../src/backend/store/invalidation-keys.ts";
import { StoreFailure, type Store } from "../../../src/backend/store/store.ts";
import {
  attempt,
  consumeTicket,
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
} from "./commands.ts";
import type { OpenStore } from "./store-contract.ts";

type Check = (t: ExecutionContext, store: Store) => Promise<void>;

/** Registers what the store's contract says of invalidation events as tests of one driver. */
export function eventContract(test: TestFn, driver: string, open: OpenStore): void {
  for (const [name, cases] of Object.entries<Readonly<Record<string, AnyCase>>>(eventsOfCommands)) {
    for (const [title, { before, command, events, conflict }] of Object.entries(cases)) {
      test.serial(`${driver}: ${name}, ${title}, writes exactly its events, once per attempt`, async (t) => {
        const { store } = await open(t);
        await apply(t, store, ...before);
        const start = await headOf(store);
        await apply(t, store, command);
        t.deepEqual(await eventsAfter(t, store, start), events);
        const after = await headOf(store);
        await apply(t, store, command);
        t.is(await headOf(store), after, "the same attempt again");
        if (conflict !== undefined) t.is(await store.run(conflict), "conflict");
        t.is(await headOf(store), after, "a conflict");
      });
    }
  }
  for (const [title, check] of Object.entries(checks)) {
    test.serial(`${driver}: ${title}`, async (t) => {
      const { store } = await open(t);
      await apply(t, store, twoServices());
      await check(t, store);
    });
  }
}

interface CommandCase<Name extends Command["name"]> {
  readonly before: readonly Command[];
  readonly command: Extract<Command, { name: Name }>;
  readonly events: readonly { readonly serviceId: number; readonly keys: readonly string[] }[];
  /** The same wish under a fresh attempt, which is not to be had any more; `undefined` where there is no such thing. */
  readonly conflict: Command | undefined;
}

type AnyCase = { [Name in Command["name"]]: CommandCase<Name> }[Command["name"]];

const alone = issueTokens();
const family = issueGrant("grant");
const rotation = rotate(family);
const elsewhere = issueGrant("grant", { serviceId: 2, clientId: 21 });
const [ticket, password] = [keepTicket(), keepTicket({ kind: "password" })];
const code = issueCode(ticket);
const assertion = useAssertion();
const everyMember = {
  scopes: ["a"],
  expiresAt: 7_000,
  properties: [],
  x5tS256: "x",
  refreshTokenExpiresAt: 7_000,
};
const again = <C extends Command>(command: C): C => ({ ...command, attempt: attempt() });
const tokenKeyOf = ({ accessToken }: typeof alone): string =>
  `token:${Buffer.from(accessToken.digest).toString("base64url")}`;
const service = (serviceId: number) => ({ serviceId, keys: [`service:${serviceId}`] });
const client = (serviceId: number, clientId: number) => ({ serviceId, keys: [`client:${serviceId}:${clientId}`] });

/** Every command there is, so that a new one has to say here what it makes void. */
const eventsOfCommands: { readonly [Name in Command["name"]]: Readonly<Record<string, CommandCase<Name>>> } = {
  "put-configuration": {
    "the first": { before: [], command: twoServices(), events: [], conflict: undefined },
    "the same again": { before: [twoServices()], command: twoServices(), events: [], conflict: undefined },
    "a service's settings": {
      before: [twoServices()],
      command: putConfiguration(
        { id: 1, settings: "other", clients: [{ id: 11, alias: "eleven" }, { id: 12 }] },
        { id: 2, clients: [{ id: 21, alias: "eleven" }] },
      ),
      events: [service(1)],
      conflict: undefined,
    },
    "changed settings with a new client and a new service": {
      before: [twoServices()],
      command: putConfiguration(
        { id: 1, clients: [{ id: 11, alias: "eleven" }, { id: 12, settings: "other" }, { id: 13 }] },
        { id: 2, clients: [{ id: 21, alias: "eleven" }] },
        { id: 3, clients: [{ id: 31 }] },
      ),
      events: [client(1, 12)],
      conflict: putConfiguration({
        id: 1,
        settings: "changed, too",
        clients: [
          { id: 11, alias: "same" },
          { id: 12, alias: "same" },
        ],
      }),
    },
    "a client left out": {
      before: [twoServices()],
      command: putConfiguration({ id: 1, clients: [{ id: 12 }] }, { id: 2, clients: [{ id: 21, alias: "eleven" }] }),
      events: [client(1, 11)],
      conflict: undefined,
    },
    "a service left out": {
      before: [twoServices()],
      command: putConfiguration({ id: 2, clients: [{ id: 21, alias: "eleven" }] }),
      events: [service(1), client(1, 11), client(1, 12)],
      conflict: undefined,
    },
    "a service that comes back": {
      before: [twoServices(), putConfiguration({ id: 2, clients: [{ id: 21, alias: "eleven" }] })],
      command: putConfiguration({ id: 1, clients: [{ id: 12 }] }, { id: 2, clients: [{ id: 21, alias: "eleven" }] }),
      events: [service(1), client(1, 12)],
      conflict: undefined,
    },
  },
  "keep-ticket": {
    "of an authorization request": { before: [twoServices()], command: ticket, events: [], conflict: again(ticket) },
  },
  "update-ticket": {
    "before it is consumed": {
      before: [twoServices(), ticket],
      command: updateTicket(ticket),
      events: [],
      conflict: updateTicket(password),
    },
  },
  "consume-ticket": {
    "that was not consumed": {
      before: [twoServices(), ticket],
      command: consumeTicket(ticket),
      events: [],
      conflict: consumeTicket(ticket),
    },
  },
  "issue-code": {
    "for a ticket": { before: [twoServices(), ticket], command: code, events: [], conflict: issueCode(ticket) },
  },
  "use-assertion": {
    "for the first time": { before: [twoServices()], command: assertion, events: [], conflict: again(assertion) },
  },
  "update-token": {
    "one that stands alone": {
      before: [twoServices(), alone],
      command: updateToken(alone, { scopes: ["a"] }),
      events: [{ serviceId: 1, keys: [tokenKeyOf(alone)] }],
      conflict: updateToken(family, { scopes: ["a"] }),
    },
    ...Object.fromEntries(
      ([{ scopes: ["a"] }, { expiresAt: 7 }, { properties: [] }, { x5tS256: "x" }] as const).map((changes) => [
        `the ${Object.keys(changes).join()} of one of a grant`,
        {
          before: [twoServices(), family],
          command: updateToken(family, changes),
          events: [{ serviceId: 1, keys: [tokenKeyOf(family)] }],
          conflict: updateToken(alone, changes),
        },
      ]),
    ),
    "the end of its refresh token": {
      before: [twoServices(), family],
      command: updateToken(family, { refreshTokenExpiresAt: 7_000 }),
      events: [{ serviceId: 1, keys: ["grant:grant"] }],
      conflict: undefined,
    },
    "both it and the end of its refresh token": {
      before: [twoServices(), family, rotation],
      command: updateToken(family, { expiresAt: 7_000, refreshTokenExpiresAt: 7_000 }),
      events: [
        { serviceId: 1, keys: [tokenKeyOf(family)] },
        { serviceId: 1, keys: ["grant:grant"] },
      ],
      conflict: undefined,
    },
    "with its former values": {
      before: [twoServices(), family, updateToken(family, everyMember)],
      command: updateToken(family, everyMember),
      events: [],
      conflict: undefined,
    },
    "with nothing": {
      before: [twoServices(), family],
      command: updateToken(family, {}),
      events: [],
      conflict: undefined,
    },
  },
  "revoke-tokens": {
    "of a client: one, however many tokens": {
      before: [twoServices(), family, rotation, alone, issueTokens({ clientId: 12 }), elsewhere],
      command: revokeTokens({ clientId: 11 }),
      events: [client(1, 11)],
      conflict: undefined,
    },
    "of a subject": {
      before: [twoServices(), family, alone, elsewhere],
      command: revokeTokens({ subject: "user" }),
      events: [{ serviceId: 1, keys: [subjectKey("user")] }],
      conflict: undefined,
    },
    "of a subject with a client": {
      before: [twoServices(), family, alone, elsewhere],
      command: revokeTokens({ clientId: 11, subject: "user" }),
      events: [{ serviceId: 1, keys: [subjectKey("user")] }],
      conflict: undefined,
    },
    "of another service": {
      before: [twoServices(), family, alone, elsewhere],
      command: revokeTokens({ subject: "user" }, 2),
      events: [{ serviceId: 2, keys: [subjectKey("user")] }],
      conflict: undefined,
    },
    "that have ended already": {
      before: [twoServices(), family, alone, revoke(alone), endGrant("grant")],
      command: revokeTokens({ clientId: 11 }),
      events: [client(1, 11)],
      conflict: undefined,
    },
    "of an unknown service": {
      before: [twoServices(), revokeTokens({ clientId: 11 })],
      command: revokeTokens({ subject: 'with "quotes" and \\' }),
      events: [{ serviceId: 1, keys: [subjectKey('with "quotes" and \\')] }],
      conflict: revokeTokens({ subject: "user" }, 3),
    },
  },
  "issue-tokens": {
    "of a client": {
      before: [twoServices()],
      command: alone,
      events: [],
      conflict: { ...alone, attempt: attempt() },
    },
    "of a grant": {
      before: [twoServices()],
      command: family,
      events: [],
      conflict: { ...family, attempt: attempt() },
    },
    "for a code": {
      before: [twoServices(), ticket, code],
      command: exchange(code),
      events: [],
      conflict: exchange(code),
    },
    "for a ticket": {
      before: [twoServices(), password],
      command: issueForTicket(password),
      events: [],
      conflict: issueForTicket(password, "another"),
    },
    "for a refresh token that is rotated": {
      before: [twoServices(), family],
      command: rotation,
      events: [],
      conflict: rotate(family),
    },
    "for a refresh token that is kept": {
      before: [twoServices(), family],
      command: refresh(family),
      events: [],
      conflict: refresh(rotation),
    },
  },
  "revoke-access-token": {
    "one that stands alone": {
      before: [twoServices(), alone],
      command: revoke(alone),
      events: [{ serviceId: 1, keys: [tokenKeyOf(alone)] }],
      conflict: revoke(alone),
    },
    "one of a grant": {
      before: [twoServices(), family],
      command: revoke(family),
      events: [{ serviceId: 1, keys: [tokenKeyOf(family)] }],
      conflict: revoke(family),
    },
  },
  "end-grant": {
    "with its tokens": {
      before: [twoServices(), family],
      command: endGrant("grant"),
      events: [{ serviceId: 1, keys: ["grant:grant"] }],
      conflict: endGrant("grant"),
    },
  },
  "invalidate-token": {
    "an unknown token": {
      before: [twoServices()],
      command: invalidateToken(alone.accessToken.digest, family.accessToken.digest),
      events: [{ serviceId: 1, keys: [tokenKeyOf(alone), tokenKeyOf(family)] }],
      conflict: undefined,
    },
  },
};

async function apply(t: ExecutionContext, store: Store, ...commands: readonly Command[]): Promise<void> {
  for (const command of commands) t.is(await store.run(command), "done", `${command.name} was not done`);
}

async function headOf(store: Store): Promise<string> {
  return (await store.readInvalidationEvents({ limit: 1 })).cursor;
}

/** What follows a cursor, in as many readings as it takes; without cursors, which no test can foretell. */
async function eventsAfter(t: ExecutionContext, store: Store, cursor: string, limit = 500, upTo?: string) {
  const found: { serviceId: number; keys: readonly string[] }[] = [];
  for (let after = cursor; ;) {
    const read = await store.readInvalidationEvents({ after, limit, upTo });
    if (read.reset) throw new Error("the cursor could not be continued");
    t.true(read.events.length <= limit);
    t.is(read.events.at(-1)?.cursor ?? after, read.cursor);
    found.push(...read.events.map(({ serviceId, keys }) => ({ serviceId, keys })));
    if (read.complete) return found;
    after = read.cursor;
  }
}

/** Revokes so many tokens of client 11 one after the other, at these instants; answers the keys of the events. */
async function revokeMany(t: ExecutionContext, store: Store, instants: readonly number[]): Promise<string[]> {
  const keys = [];
  for (const endedAt of instants) {
    const issued = issueTokens();
    await apply(t, store, issued, { ...revoke(issued), endedAt });
    keys.push(tokenKeyOf(issued));
  }
  return keys;
}

const keysOf = (events: readonly { keys: readonly string[] }[]): string[] => events.flatMap(({ keys }) => keys);
const tenInstants = Array.from({ length: 10 }, (_, index) => 1_000 + index);

const checks: Readonly<Record<string, Check>> = {
  "without a cursor a reader begins at the end, also before the first event": async (t, store) => {
    const first = await store.readInvalidationEvents({ limit: 10 });
    t.deepEqual(first, { reset: true, cursor: first.cursor });
    t.deepEqual(await store.readInvalidationEvents({ after: first.cursor, limit: 10 }), {
      reset: false,
      events: [],
      cursor: first.cursor,
      complete: true,
    });
    const keys = await revokeMany(t, store, tenInstants);
    t.deepEqual(keysOf(await eventsAfter(t, store, first.cursor)), keys);
    t.deepEqual(await eventsAfter(t, store, await headOf(store)), []);
  },

  "events are read in batches, in the order of their commits, each once": async (t, store) => {
    const start = await headOf(store);
    const keys = await revokeMany(t, store, tenInstants);
    for (const limit of [1, 3, 9, 10, 11]) t.deepEqual(keysOf(await eventsAfter(t, store, start, limit)), keys);
  },

  "a reader may continue from each event, and stop at another": async (t, store) => {
    const start = await headOf(store);
    const keys = await revokeMany(t, store, tenInstants);
    const read = await store.readInvalidationEvents({ after: start, limit: 10 });
    const cursors = [start, ...(read.reset ? [] : read.events.map(({ cursor }) => cursor))];
    for (const [from, after] of cursors.entries()) {
      t.deepEqual(keysOf(await eventsAfter(t, store, after)), keys.slice(from));
      for (const [to, upTo] of cursors.entries()) {
        if (to < from) t.true((await store.readInvalidationEvents({ after, upTo, limit: 10 })).reset);
        else t.deepEqual(keysOf(await eventsAfter(t, store, after, 4, upTo)), keys.slice(from, to));
      }
    }
  },

  "an event is of its own service": async (t, store) => {
    const start = await headOf(store);
    const [first, second] = [issueGrant("same"), issueGrant("same", { serviceId: 2, clientId: 21 })];
    await apply(t, store, first, second, endGrant("same", 2), endGrant("same", 1));
    t.deepEqual(await eventsAfter(t, store, start), [
      { serviceId: 2, keys: ["grant:same"] },
      { serviceId: 1, keys: ["grant:same"] },
    ]);
  },

  "a malformed cursor, one of another store or beyond the end is a reset to the end": async (t, store) => {
    await revokeMany(t, store, [1_000]);
    const cursor = await headOf(store);
    const [epoch = "", place = ""] = cursor.split(":");
    const [position = "", tag = ""] = place.split(".");
    const otherEpoch = `${epoch.startsWith("A") ? "B" : "A"}${epoch.slice(1)}`;
    const otherTag = `${tag.startsWith("A") ? "B" : "A"}${tag.slice(1)}`;
    for (const after of [
      `${otherEpoch}:${place}`,
      `${otherEpoch}:0`,
      `${epoch}:${position}.${otherTag}`,
      `${epoch}:${position}`,
      `${epoch}:${Number(position) + 1}.${tag}`,
      `${epoch}:999999999999999.${tag}`,
      `${epoch}:9999999999999999999999.${tag}`,
      `${epoch}:-1.${tag}`,
      `${epoch}:0${position}.${tag}`,
      `${epoch}:0.${tag}`,
      `${epoch}:`,
      epoch,
      ` ${cursor}`,
      `${cursor}\n`,
      cursor.toUpperCase(),
      "",
      "0",
      "' OR 1=1 --",
      "\ud800",
      "x".repeat(100_000),
    ]) {
      t.deepEqual(
        await store.readInvalidationEvents({ after, limit: 10 }),
        { reset: true, cursor },
        after.slice(0, 80),
      );
    }
    t.false((await store.readInvalidationEvents({ after: cursor, limit: 10 })).reset);
  },

  "the sweep deletes old events in batches; a reader at the last of them misses nothing": async (t, store) => {
    const start = await headOf(store);
    const keys = await revokeMany(t, store, tenInstants);
    const read = await store.readInvalidationEvents({ after: start, limit: 10 });
    const cursors = read.reset ? [] : read.events.map(({ cursor }) => cursor);
    t.is(await store.sweepInvalidationEvents(1_000, 3), 0, "none is older");
    t.is(await store.sweepInvalidationEvents(1_007, 3), 3);
    t.is(await store.sweepInvalidationEvents(1_007, 3), 3);
    t.is(await store.sweepInvalidationEvents(1_007, 3), 0, "the last of the old ones stays");
    t.true((await store.readInvalidationEvents({ after: start, limit: 10 })).reset);
    for (const [index, after] of cursors.entries()) {
      if (index < 6) t.true((await store.readInvalidationEvents({ after, limit: 10 })).reset);
      else t.deepEqual(keysOf(await eventsAfter(t, store, after)), keys.slice(index + 1));
    }
    t.is(await store.sweepInvalidationEvents(9_999, 100), 3);
    t.deepEqual(await eventsAfter(t, store, cursors.at(-1) ?? ""), [], "the newest stays, however old");
    const later = await revokeMany(t, store, [9_999]);
    t.deepEqual(keysOf(await eventsAfter(t, store, cursors.at(-1) ?? "")), later);
  },

  "a node whose clock is behind causes no gap in the stored events": async (t, store) => {
    const keys = await revokeMany(t, store, [5_000, 1_000, 5_001, 1_001]);
    const start = await headOf(store);
    t.is(await store.sweepInvalidationEvents(4_000, 100), 0);
    t.is(await store.sweepInvalidationEvents(5_001, 100), 1, "the first; the second is the last old one");
    t.is(keys.length, 4);
    t.is(await headOf(store), start);
  },

  "a sweep of events needs a limit": async (t, store) => {
    for (const limit of [0, -1, 1.5, Number.NaN]) {
      await t.throwsAsync(store.sweepInvalidationEvents(1, limit), { code: "ERR_SWEEP_LIMIT" }, `${limit}`);
    }
  },

  "of a hundred revocations of one token exactly one writes an event": async (t, store) => {
    const issued = issueTokens();
    await apply(t, store, issued);
    const start = await headOf(store);
    await Promise.all(Array.from({ length: 100 }, () => store.run(revoke(issued))));
    t.is((await eventsAfter(t, store, start)).length, 1);
  },

  "a command whose event cannot be stored changes nothing": async (t, store) => {
    const start = await headOf(store);
    const issued = issueGrant("grant");
    await apply(t, store, issued);
    // Without an instant the change itself could be kept, but its event cannot.
    await t.throwsAsync(store.run({ ...endGrant("grant"), endedAt: null as unknown as number }), {
      instanceOf: StoreFailure,
    });
    t.truthy(await store.readRefreshToken(1, issued.refreshToken.digest));
    t.is(await headOf(store), start);
  },

  "a closed store has no events": async (t, store) => {
    await store.close();
    await t.throwsAsync(store.readInvalidationEvents({ limit: 1 }), { instanceOf: StoreFailure });
    await t.throwsAsync(store.sweepInvalidationEvents(1, 1), { instanceOf: StoreFailure });
  },
};
