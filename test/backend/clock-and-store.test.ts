import { copyFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import test, { type ExecutionContext } from "ava";
import { pino } from "pino";
import { type Backend, openBackend } from "../../src/backend/backend.ts";
import { type KeptForwardClock, openForwardClock } from "../../src/backend/open-forward-clock.ts";
import { resetClock } from "../../src/backend/reset-clock.ts";
import { openSqliteStore } from "../../src/backend/store/sqlite/open-sqlite-store.ts";
import { type KeptClock, StoreFailure } from "../../src/backend/store/store.ts";
import { startInstant } from "../support/engine.ts";
import { clientSettings, configurationOf, secretOf, serviceSettings } from "../support/settings.ts";
import { makeStoreFile, type StoreFile } from "../support/store-beside.ts";

const [second, hour] = [1_000, 3_600_000];
const year = 365 * 24 * hour;

const clients = [clientSettings({ clientId: 1, tlsClientCertificateBoundAccessTokens: false })];

/** `passed` counts the time that really goes by; without it only the wall clock moves. */
async function openAt(
  t: ExecutionContext,
  file: StoreFile,
  clock: () => number,
  passed: () => number = () => 0,
): Promise<Backend> {
  const configuration = configurationOf([{ settings: serviceSettings(), clients }], file.configuration);
  const backend = await openBackend({ configuration, log: pino({ level: "silent" }), clock, monotonicClock: passed });
  t.teardown(() => backend.close());
  return backend;
}

async function issue(backend: Backend): Promise<{ accessToken: string; lifetime: number }> {
  const { accessToken = "", accessTokenDuration = 0 } = await backend.authToken({
    parameters: "grant_type=client_credentials",
    clientId: "1",
    clientSecret: secretOf(1),
  });
  return { accessToken, lifetime: accessTokenDuration * 1000 };
}

async function isActive(backend: Backend, token: string): Promise<boolean> {
  const { responseContent } = await backend.authIntrospectionStandard({ parameters: `token=${token}` });
  return (JSON.parse(responseContent ?? "") as { active: boolean }).active;
}

test("a restart with the clock set back revives no expired token, and ends no live one", async (t) => {
  const file = await makeStoreFile(t);
  let now = startInstant;
  const first = await openAt(
    t,
    file,
    () => now,
    () => now,
  );
  const { accessToken: expired, lifetime } = await issue(first);
  now += lifetime;
  t.false(await isActive(first, expired));
  const { accessToken: alive } = await issue(first);
  await first.close();
  for (const back of [20, 120]) {
    const again = await openAt(
      t,
      file,
      () => now - back * second,
      () => now,
    );
    t.deepEqual([await isActive(again, expired), await isActive(again, alive)], [false, true], `${back} s`);
    await again.close();
  }
});

test("nor does it after a start long after the last stop, whose time is still in doubt", async (t) => {
  const file = await makeStoreFile(t);
  let now = startInstant;
  const clock = () => now;
  const first = await openAt(t, file, clock, clock);
  const { accessToken, lifetime } = await issue(first);
  t.true(lifetime > hour / 2);
  await first.close();
  now += lifetime;
  for (const back of [0, 20, 120, 1_000]) {
    now -= back * second;
    const again = await openAt(t, file, clock, clock);
    t.false(await isActive(again, accessToken), `${back} s`);
    await again.close();
  }
});

test("a time in doubt that is taken back by a restart has ended nothing", async (t) => {
  const file = await makeStoreFile(t);
  let now = startInstant;
  const clock = () => now;
  const first = await openAt(t, file, clock, clock);
  const { accessToken } = await issue(first);
  await first.close();
  now += year;
  const wrong = await openAt(t, file, clock, clock);
  t.false(await isActive(wrong, accessToken));
  await wrong.close();
  now = startInstant + second;
  const right = await openAt(t, file, clock, clock);
  t.true(await isActive(right, accessToken));
  await right.close();
  using db = new DatabaseSync(file.path, { timeout: 5_000 });
  t.deepEqual({ ...db.prepare("SELECT clock_in_doubt FROM store_state").get() }, { clock_in_doubt: 0 });
});

test("two backends on one file: a token that one has seen expire is expired for the other", async (t) => {
  const file = await makeStoreFile(t);
  let now = startInstant;
  const ahead = await openAt(
    t,
    file,
    () => now,
    () => now,
  );
  const { accessToken, lifetime } = await issue(ahead);
  now += lifetime;
  t.false(await isActive(ahead, accessToken));
  await ahead.close();
  const running = await openAt(
    t,
    file,
    () => now,
    () => now,
  );
  t.false(await isActive(running, accessToken));
  // It has not stopped: what it acted on within the last second need not have been kept.
  const behind = await openAt(
    t,
    file,
    () => now - 20 * second,
    () => now,
  );
  t.false(await isActive(behind, accessToken));
});

test("a clock reset ends tokens issued by a wrong clock, and restores those that it had expired", async (t) => {
  const file = await makeStoreFile(t);
  let now = startInstant;
  const first = await openAt(t, file, () => now);
  const { accessToken: before } = await issue(first);
  await first.close();
  now += 10 * year;
  const wrong = await openAt(t, file, () => now);
  const { accessToken: ahead } = await issue(wrong);
  t.deepEqual([await isActive(wrong, before), await isActive(wrong, ahead)], [false, true]);
  t.throws(() => resetClock({ store: { sqlite: file.path } }, () => startInstant), {
    instanceOf: StoreFailure,
    message: `the clock of the store ${file.path} cannot be reset: a backend or another program has it open; stop it first`,
  });
  await wrong.close();
  now = startInstant + second;
  t.like(
    resetClock({ store: { sqlite: file.path } }, () => now, { endTokens: true }),
    { ended: 1 },
  );
  const right = await openAt(t, file, () => now);
  t.deepEqual([await isActive(right, before), await isActive(right, ahead)], [true, false]);
  now += 10 * year;
  t.false(await isActive(right, ahead), "not when its time comes either");
});

test("a reset by a clock that is behind ends no token unless that is allowed, and changes nothing", async (t) => {
  const file = await makeStoreFile(t);
  const now = startInstant;
  const first = await openAt(t, file, () => now);
  const { accessToken } = await issue(first);
  await first.close();
  t.throws(() => resetClock({ store: { sqlite: file.path } }, () => 0), {
    instanceOf: StoreFailure,
    message:
      /: 1 access and refresh tokens were issued later than the time of this machine, 1970-01-01T00:00:00\.000Z, and would end for good: if that time is right, add --end-tokens$/,
  });
  const again = await openAt(t, file, () => now);
  t.true(await isActive(again, accessToken));
});

test("a missing store has no clock to reset, and is not created", async (t) => {
  const { path } = await makeStoreFile(t);
  for (let round = 0; round < 2; round++) {
    t.throws(() => resetClock({ store: { sqlite: path } }, () => startInstant), { message: /there is no such file$/ });
  }
});

test("another program's database is left alone", async (t) => {
  const { path } = await makeStoreFile(t);
  await copyFile(new URL(import.meta.url), path);
  t.throws(() => resetClock({ store: { sqlite: path } }, () => startInstant), { message: /it is not a database$/ });
});

interface KeptWorld {
  readonly open: (kept: KeptClock, wall: number) => Promise<KeptForwardClock>;
  readonly waits: number[];
  readonly kept: KeptClock[];
}

function createKeptWorld(): KeptWorld {
  const [waits, written]: [number[], KeptClock[]] = [[], []];
  return {
    waits,
    kept: written,
    open(kept, wall) {
      let now = wall;
      return openForwardClock({
        store: {
          readClock: () => Promise.resolve(kept),
          keepClock(clock) {
            written.push(clock);
            return Promise.resolve();
          },
        },
        wallClock: () => now,
        monotonicClock: () => 0,
        log: pino({ level: "silent" }),
        wait(milliseconds) {
          waits.push(milliseconds);
          now += milliseconds;
          return Promise.resolve();
        },
      });
    },
  };
}

test("after a clean stop it begins at once", async (t) => {
  const { open, waits } = createKeptWorld();
  const clock = await open({ actedOn: startInstant, settled: true }, startInstant);
  t.is(clock.now(), startInstant);
  t.deepEqual(waits, []);
  await clock.close();
});

test("after another stop it waits for the second that may not have been kept", async (t) => {
  const { open, waits, kept } = createKeptWorld();
  const clock = await open({ actedOn: startInstant, settled: false }, startInstant + 300);
  t.deepEqual(waits, [700]);
  t.is(clock.now(), startInstant + second);
  t.is(clock.behind(), 0);
  await clock.close();
  t.deepEqual(kept, [
    { actedOn: startInstant + second, settled: false },
    { actedOn: startInstant + second, settled: true },
  ]);
});

test("a time that another process settled is unsettled when this one acts after it", async (t) => {
  let kept: KeptClock = { actedOn: startInstant, settled: true };
  let now = startInstant;
  let tell: (clock: KeptClock) => void = () => undefined;
  const clock = await openForwardClock({
    store: {
      readClock: () => Promise.resolve(kept),
      keepClock(clock) {
        kept = clock;
        tell(clock);
        return Promise.resolve();
      },
    },
    wallClock: () => now,
    monotonicClock: () => now,
    log: pino({ level: "silent" }),
  });
  kept = { actedOn: startInstant, settled: true };
  now += 100;
  clock.now();
  const next = await new Promise<KeptClock>((resolve) => {
    tell = resolve;
    const keepsAlive = setInterval(() => undefined, second);
    t.teardown(() => {
      clearInterval(keepsAlive);
    });
  });
  t.deepEqual(next, { actedOn: startInstant + 100, settled: false });
  await clock.close();
});

test("where the clock is further behind there is nothing to wait for: it begins after that second", async (t) => {
  const { open, waits } = createKeptWorld();
  const clock = await open({ actedOn: startInstant, settled: false }, startInstant - 20 * second);
  t.deepEqual(waits, []);
  t.is(clock.now(), startInstant + second);
  t.is(clock.behind(), 21 * second);
  await clock.close();
});

test("the stored time is raised, never lowered, and settled only by the last process that acted", async (t) => {
  const { path } = await makeStoreFile(t);
  const store = await openSqliteStore({ path });
  const states: KeptClock[] = [await store.readClock()];
  for (const clock of [
    { actedOn: 1_000, settled: false },
    { actedOn: 900, settled: true },
    { actedOn: 1_000, settled: true },
    { actedOn: 1_000, settled: false },
    { actedOn: 1_500, settled: true },
  ]) {
    await store.keepClock(clock);
    states.push(await store.readClock());
  }
  await store.close();
  t.deepEqual(states, [
    { actedOn: 0, settled: true },
    { actedOn: 1_000, settled: false },
    { actedOn: 1_000, settled: false },
    { actedOn: 1_000, settled: true },
    { actedOn: 1_000, settled: false },
    { actedOn: 1_500, settled: true },
  ]);
});
