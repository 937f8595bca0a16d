import { randomBytes } from "node:crypto";
import { mock } from "node:test";
import test, { type ExecutionContext } from "ava";
import { pino } from "pino";
import { openBackend } from "../../src/backend/backend.ts";
import type { IssueTokens } from "../../src/backend/store/command.ts";
import { openSqliteStore } from "../../src/backend/store/sqlite/open-sqlite-store.ts";
import { type Store, StoreFailure } from "../../src/backend/store/store.ts";
import { processDefaults } from "../../src/backend/configuration/configuration.ts";
import { startSweep } from "../../src/backend/sweep.ts";
import { configurationOf, serviceSettings } from "../support/settings.ts";
import {
  exchange,
  issueCode,
  issueTokens,
  keepTicket,
  revoke,
  rotate,
  twoServices,
  useAssertion,
} from "./store/commands.ts";

const services = [1, 2].map((apiKey) => ({ settings: serviceSettings({ apiKey }), clients: [] }));

for (const [what, of] of [
  ["no service", []],
  ["several services", services],
] as const) {
  test(`a backend of ${what} identifies itself, and its own operations need a service to act for`, async (t) => {
    const backend = await openBackend({ configuration: configurationOf(of), log: pino({ level: "silent" }) });
    t.teardown(() => backend.close());
    const { version, features } = await backend.info(undefined);
    t.regex(version, /^\d+\.\d+\.\d+/);
    t.true(features.includes("authorization_code"));
    const request = { parameters: "token=x" };
    await t.throwsAsync(backend.authIntrospectionStandard(request), { instanceOf: TypeError, message: /serviceId/ });
    t.deepEqual(await backend.operationsFor(1).info(undefined), { version, features });
  });
}

test("with a serviceId the backend's own operations act for that service", async (t) => {
  const configuration = configurationOf(services);
  const backend = await openBackend({ configuration, log: pino({ level: "silent" }), serviceId: 2 });
  t.teardown(() => backend.close());
  const answer = await backend.authIntrospectionStandard({ parameters: "token=x" });
  t.is(answer.responseContent, '{"active":false}');
});

// One clock of timers for the file: its tests take turns.
const minute = 60_000;
const batch = 500;
const keptAfterExpiry = 600_000;

interface Sweeping {
  readonly store: Store;
  readonly setClock: (now: number) => void;
  /** Lets a minute go by and waits until the sweeps under way have come to their end. */
  readonly passMinute: () => Promise<void>;
  readonly stop: () => void;
  /** What each batch was asked and how many rows it answered, or that it failed. */
  readonly batches: { readonly expiredBefore: number; readonly limit: number; readonly swept: number | "failed" }[];
  readonly logged: { readonly level: number; readonly msg: string; readonly err?: { readonly type: string } }[];
}

async function startSweeping(
  t: ExecutionContext,
  sweep?: (store: Store) => Store["sweep"],
  configuration = processDefaults,
): Promise<Sweeping> {
  mock.timers.enable({ apis: ["setInterval"] });
  const store = await openSqliteStore({ path: ":memory:" });
  await store.run(twoServices());
  const batches: Sweeping["batches"] = [];
  const logged: Sweeping["logged"] = [];
  const underWay = new Set<Promise<unknown>>();
  let now = 0;
  const watched: Store["sweep"] = async (expiredBefore, limit) => {
    const sweeping = (sweep?.(store) ?? store.sweep)(expiredBefore, limit);
    underWay.add(sweeping);
    try {
      const swept = await sweeping;
      batches.push({ expiredBefore, limit, swept });
      return swept;
    } catch (error) {
      batches.push({ expiredBefore, limit, swept: "failed" });
      throw error;
    } finally {
      underWay.delete(sweeping);
    }
  };
  const log = pino(
    {
      base: null,
    },
    { write: (line: string) => logged.push(JSON.parse(line) as Sweeping["logged"][number]) },
  );
  const watchedEvents: Store["sweepInvalidationEvents"] = async (createdBefore, limit) => {
    const sweeping = store.sweepInvalidationEvents(createdBefore, limit);
    underWay.add(sweeping);
    try {
      return await sweeping;
    } finally {
      underWay.delete(sweeping);
    }
  };
  const watchedStore = { ...store, sweep: watched, sweepInvalidationEvents: watchedEvents };
  const sweeper = startSweep({ store: watchedStore, clock: () => now, log, configuration });
  t.teardown(async () => {
    sweeper.stop();
    mock.timers.reset();
    await store.close();
  });
  return {
    store,
    setClock: (milliseconds) => {
      now = milliseconds;
    },
    async passMinute() {
      mock.timers.tick(minute);
      do {
        await Promise.allSettled(underWay);
        // The next batch, if there is one, begins in the turn after the last one's end.
        await new Promise((resolve) => setImmediate(resolve));
      } while (underWay.size > 0);
    },
    stop: () => {
      sweeper.stop();
    },
    batches,
    logged,
  };
}

async function keep(store: Store, expiresAt: number): Promise<IssueTokens> {
  const command = issueTokens({ accessToken: { digest: randomBytes(32), expiresAt } });
  await store.run(command);
  return command;
}

const isKept = async (store: Store, { accessToken }: IssueTokens): Promise<boolean> =>
  (await store.readAccessToken(1, accessToken.digest)) !== undefined;

test.serial("a token is kept for 600 seconds after it expired, and is gone after", async (t) => {
  const { store, setClock, passMinute, batches } = await startSweeping(t);
  const expiresAt = 1_000_000;
  const token = await keep(store, expiresAt);
  const later = await keep(store, expiresAt + 2);
  for (const now of [expiresAt - 1, expiresAt, expiresAt + 1, expiresAt + keptAfterExpiry]) {
    setClock(now);
    await passMinute();
    t.true(await isKept(store, token));
  }
  setClock(expiresAt + keptAfterExpiry + 1);
  await passMinute();
  t.false(await isKept(store, token));
  t.true(await isKept(store, later));
  t.deepEqual(
    batches.map(({ swept }) => swept),
    [0, 0, 0, 0, 1],
  );
});

test.serial("nothing is swept before a minute has gone by, then once a minute", async (t) => {
  const { batches, passMinute } = await startSweeping(t);
  mock.timers.tick(minute - 1);
  t.is(batches.length, 0);
  mock.timers.tick(1);
  await passMinute();
  t.is(batches.length, 2);
});

test.serial("batches follow one another until one is not full", async (t) => {
  const { store, setClock, passMinute, batches } = await startSweeping(t);
  const tokens = await Promise.all(Array.from({ length: 2 * batch + 1 }, () => keep(store, 1)));
  const expiredBefore = 2;
  setClock(expiredBefore + keptAfterExpiry);
  await passMinute();
  t.deepEqual(
    batches,
    [batch, batch, 1].map((swept) => ({ expiredBefore, limit: batch, swept })),
  );
  for (const token of tokens) t.false(await isKept(store, token));
});

test.serial("a full last batch is followed by one that finds nothing", async (t) => {
  const { store, setClock, passMinute, batches } = await startSweeping(t);
  await Promise.all(Array.from({ length: batch }, () => keep(store, 1)));
  setClock(2 + keptAfterExpiry);
  await passMinute();
  t.deepEqual(
    batches.map(({ swept }) => swept),
    [batch, 0],
  );
});

test.serial(
  "an event is kept for an hour after the next one was written, in batches, and the newest for good",
  async (t) => {
    const { store, setClock, passMinute } = await startSweeping(t);
    const hour = 3_600_000;
    const { cursor: start } = await store.readInvalidationEvents({ limit: 1 });
    const revokeAt = async (endedAt: number): Promise<void> => {
      await store.run({ ...revoke(await keep(store, hour * 10)), endedAt });
    };
    const isKnown = async (after: string) => !(await store.readInvalidationEvents({ after, limit: 1 })).reset;
    for (let event = 0; event <= 2 * batch; event++) await revokeAt(1_000);
    const { cursor: first } = await store.readInvalidationEvents({ limit: 1 });
    await revokeAt(2_000);
    const { cursor: last } = await store.readInvalidationEvents({ limit: 1 });
    setClock(hour + 1_000);
    await passMinute();
    t.true(await isKnown(start));
    setClock(hour + 1_001);
    await passMinute();
    t.deepEqual([await isKnown(start), await isKnown(first), await isKnown(last)], [false, true, true]);
    setClock(hour + 2_001);
    await passMinute();
    t.deepEqual([await isKnown(first), await isKnown(last)], [false, true]);
  },
);

test.serial("a failed sweep is logged, and the next one still runs", async (t) => {
  let failures = 1;
  const { store, setClock, passMinute, batches, logged } = await startSweeping(t, (kept) => (expiredBefore, limit) => {
    if (failures-- > 0) return Promise.reject(new StoreFailure("the disk is full"));
    return kept.sweep(expiredBefore, limit);
  });
  const token = await keep(store, 1);
  setClock(2 + keptAfterExpiry);
  await passMinute();
  t.deepEqual(
    batches.map(({ swept }) => swept),
    ["failed"],
  );
  t.is(logged.length, 1);
  t.like(logged[0], { level: 50, msg: "the sweep of expired rows failed" });
  t.is(logged[0]?.err?.type, "StoreFailure");
  t.true(await isKept(store, token));
  await passMinute();
  t.false(await isKept(store, token));
  t.is(logged.length, 1);
});

test.serial("a consumed code is known for 600 seconds after the last token of its grant has expired", async (t) => {
  const { store, setClock, passMinute } = await startSweeping(t);
  const ticket = keepTicket();
  const code = issueCode(ticket, { expiresAt: 2_000 });
  const family = exchange(code);
  const rotation = rotate(family);
  const last = { ...rotation, refreshToken: { ...rotation.refreshToken, expiresAt: 1_000_000 } };
  for (const command of [ticket, code, family, last]) t.is(await store.run(command), "done");
  const isKnown = async () => (await store.readCode(1, code.code.digest))?.consumed === true;
  for (const now of [2_001, 9_001, 1_000_000]) {
    setClock(now + keptAfterExpiry);
    await passMinute();
    t.true(await isKnown(), `${now}`);
  }
  setClock(1_000_001 + keptAfterExpiry);
  await passMinute();
  t.false(await isKnown());
});

test.serial("expired tickets and assertions go, consumed codes stay with the tokens of their grants", async (t) => {
  const { store, setClock, passMinute, batches } = await startSweeping(t);
  for (let more = 0; more < 20; more++) {
    const [ticket, open] = [keepTicket({ expiresAt: 1 }), keepTicket({ expiresAt: 1 })];
    const code = issueCode(ticket, { expiresAt: 1 });
    const commands = [ticket, open, code, exchange(code), useAssertion({ expiresAt: 1 })];
    for (const command of commands) t.is(await store.run(command), "done");
  }
  setClock(2 + keptAfterExpiry);
  await passMinute();
  await passMinute();
  t.deepEqual(
    batches.map(({ swept }) => swept),
    [60, 0],
  );
});

test.serial("no sweep begins after stop", async (t) => {
  const { store, setClock, passMinute, stop, batches } = await startSweeping(t);
  const token = await keep(store, 1);
  setClock(2 + keptAfterExpiry);
  stop();
  await passMinute();
  await passMinute();
  t.deepEqual(batches, []);
  t.true(await isKept(store, token));
});

test("events.heartbeatInterval sets how often a stream gets a heartbeat", async (t) => {
  const configuration = {
    ...configurationOf(services.slice(0, 1)),
    events: { ...processDefaults.events, heartbeatInterval: 0.1 },
  };
  const backend = await openBackend({ configuration, log: pino({ level: "silent" }) });
  // The backend's own timers do not keep the process alive.
  const awake = setInterval(() => undefined, 1_000);
  t.teardown(() => {
    clearInterval(awake);
    return backend.close();
  });
  const times: number[] = [];
  const leaving = new AbortController();
  for await (const message of backend.authIntrospectionEvents({}, { signal: leaving.signal })) {
    if (message.type === "heartbeat") times.push(message.polledAt);
    if (times.length === 8) leaving.abort();
  }
  const shortest = Math.min(...times.slice(1).map((time, index) => time - (times[index] ?? 0)));
  t.true(shortest > 90 && shortest < 200, String(shortest));
});

test.serial("the settings say how often a sweep runs, and how long expired tokens and events are kept", async (t) => {
  const { store, setClock, passMinute, batches } = await startSweeping(t, undefined, {
    events: { ...processDefaults.events, retention: 60 },
    sweep: { interval: 20, expiredRetention: 60 },
  });
  const token = await keep(store, 1);
  await store.run({ ...revoke(await keep(store, 1_000_000)), endedAt: 1 });
  const { cursor } = await store.readInvalidationEvents({ limit: 1 });
  await store.run({ ...revoke(await keep(store, 1_000_000)), endedAt: 2 });
  setClock(60_003);
  t.true(await isKept(store, token));
  await passMinute();
  t.deepEqual(
    batches.map(({ expiredBefore }) => expiredBefore),
    [3, 3, 3],
  );
  t.false(await isKept(store, token));
  t.true((await store.readInvalidationEvents({ after: cursor, limit: 1 })).reset);
});

test.serial("stop in the middle of a sweep lets the running batch end and begins no other", async (t) => {
  let stop: () => void = () => undefined;
  const sweeping = await startSweeping(t, (kept) => (expiredBefore, limit) => {
    stop();
    return kept.sweep(expiredBefore, limit);
  });
  stop = sweeping.stop;
  await Promise.all(Array.from({ length: batch + 1 }, () => keep(sweeping.store, 1)));
  sweeping.setClock(2 + keptAfterExpiry);
  await sweeping.passMinute();
  await sweeping.passMinute();
  t.deepEqual(
    sweeping.batches.map(({ swept }) => swept),
    [batch],
  );
});

test.serial(
  "an event dated a year ahead delays no sweep, one dated hours ahead does until that hour is over",
  async (t) => {
    const { store, setClock, passMinute } = await startSweeping(t);
    const [hour, day] = [3_600_000, 24 * 3_600_000];
    const revokeAt = async (endedAt: number): Promise<string> => {
      await store.run({ ...revoke(await keep(store, 1000 * day)), endedAt });
      return (await store.readInvalidationEvents({ limit: 1 })).cursor;
    };
    const isKnown = async (after: string) => !(await store.readInvalidationEvents({ after, limit: 1 })).reset;
    const before = await revokeAt(1_000);
    const yearAhead = await revokeAt(365 * day);
    const hoursAhead = await revokeAt(5 * hour);
    const after = await revokeAt(2_000);
    const newest = await revokeAt(3_000);
    const known = () => Promise.all([before, yearAhead, hoursAhead, after, newest].map(isKnown));
    setClock(hour + 1_000);
    await passMinute();
    t.deepEqual(await known(), [true, true, true, true, true]);
    setClock(hour + 3_001);
    await passMinute();
    t.deepEqual(await known(), [false, true, true, true, true]);
    setClock(6 * hour + 1);
    await passMinute();
    t.deepEqual(await known(), [false, false, false, false, true]);
  },
);
