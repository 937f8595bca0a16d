import { createHash, randomInt } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import test from "ava";
import { createApiClient, type ApiClient } from "../../src/api-client/index.ts";
import { startBackendProcess } from "../support/backend-process.ts";
import {
  askAgain,
  exchange,
  type ExchangedGrant,
  exchangingService,
  obtainGrant,
  window,
} from "./exchanging-client.ts";
import { sharedClock } from "../support/forked-program.ts";
import { apiSecret, secretOf, serviceAccessToken, serviceId } from "../support/settings.ts";

const environment = {
  SECRET_KEY: Buffer.alloc(32, 9).toString("base64"),
  API_SECRET: apiSecret,
  ACCESS_TOKEN: serviceAccessToken,
  CLIENT_SECRET: secretOf(1),
};

const exchanges = 500;
const workers = 16;

/** The same seed draws the same numbers. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = createHash("sha256").update(String(state)).digest().readUInt32BE();
    return state % below;
  };
}

test("kill -9 during 500 exchanges: every result is known afterwards, and nothing gave two token sets", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const [file, configuration] = [join(folder, "store.sqlite"), join(folder, "backend.json")];
  const settings = {
    listen: { port: 0 },
    store: { sqlite: file },
    secretKey: { env: "SECRET_KEY" },
    log: { level: "warn" },
    services: [exchangingService],
  };
  await writeFile(configuration, JSON.stringify(settings));
  // EXCHANGES_SEED=… plays the same numbers again.
  const seed = Number(process.env["EXCHANGES_SEED"] ?? randomInt(1_000_000_000));
  t.log(`EXCHANGES_SEED=${seed}`);
  const random = randomFrom(seed);

  const grants: ExchangedGrant[] = [];
  const seen = { kills: 0, lost: 0, lostCodes: 0, again: 0, first: 0 };
  let asked = 0;

  const connect = (baseUrl: string): ApiClient =>
    createApiClient({
      baseUrl,
      serviceId,
      credentials: { accessToken: serviceAccessToken },
      timeout: { attempt: 60_000, total: 60_000 },
    });
  const isActive = async (api: ApiClient, token: string): Promise<boolean> => {
    const { responseContent = "" } = await api.authIntrospectionStandard({ parameters: `token=${token}` });
    return (JSON.parse(responseContent) as { active: boolean }).active;
  };
  const rows = (subject: string): number => {
    const db = new DatabaseSync(file, { readOnly: true });
    const row = db.prepare("SELECT count(*) AS kept FROM access_token WHERE subject = ?").get(subject);
    db.close();
    return Number(row?.["kept"]);
  };

  /** Whatever went without an answer is asked again, as a client would, on a backend that nobody kills. */
  async function settle(api: ApiClient, grant: ExchangedGrant): Promise<void> {
    const { next, unanswered } = grant;
    if (unanswered === undefined || grant.over !== undefined) return;
    const before = rows(grant.subject);
    const result = await exchange(api, grant);
    const after = rows(grant.subject);
    if (next.kind === "code") {
      // It had been decided, and its answer never arrived: that is a replay, and gives nothing.
      if (result === "refused") Object.assign(grant, { over: "lost code", sets: 1 });
      t.deepEqual([before, after], result === "answered" ? [0, 1] : [1, 1]);
      seen.lostCodes += result === "refused" ? 1 : 0;
      return;
    }
    if (result === "refused" && sharedClock() - unanswered > window - 1000) {
      Object.assign(grant, { over: "window", sets: after });
      return;
    }
    t.is(result, "answered", "within the window the answer comes again, or for the first time");
    t.is(after, grant.sets);
    if (before === after) seen.again += 1;
    else seen.first += 1;
    const twice = [await askAgain(api, next), await askAgain(api, next)];
    t.is(twice[0], twice[1]);
    if (sharedClock() - unanswered < window - 1000) t.true(twice[0]?.includes(grant.next.value));
    t.is(rows(grant.subject), grant.sets);
  }

  async function checkAll(api: ApiClient, from = 0): Promise<void> {
    for (const grant of grants.slice(from)) {
      const alive = grant.over === undefined;
      for (const token of grant.accessTokens) t.is(await isActive(api, token), alive, grant.subject);
    }
  }

  /** Exchanges codes and refresh tokens until it is told to stop or nobody answers. */
  async function work(api: ApiClient, mine: ExchangedGrant[], stopped: () => boolean): Promise<void> {
    while (!stopped() && asked < exchanges) {
      const grant = mine.find(({ over, unanswered }) => over === undefined && unanswered === undefined);
      if (grant === undefined || (grant.accessTokens.length > 0 && random(3) === 0)) {
        const begun = await obtainGrant(api, `user-${grants.length}-${mine.length}-${random(1e9)}`).catch(
          () => undefined,
        );
        if (begun === undefined) return;
        grants.push(begun);
        mine.unshift(begun);
        // Some codes are only kept in mind: they were answers, too.
        if (random(4) === 0) mine.push(...mine.splice(0, 1));
        continue;
      }
      asked += 1;
      const result = await exchange(api, grant);
      if (result === "unanswered") {
        seen.lost += 1;
        return;
      }
      // Whoever has had its answers must be able to go on.
      t.is(result, "answered", grant.subject);
    }
  }

  const owned = Array.from({ length: workers }, (): ExchangedGrant[] => []);
  while (asked < exchanges) {
    const backend = await startBackendProcess(t, configuration, environment);
    const api = connect(backend.url);
    await Promise.all(grants.map((grant) => settle(api, grant)));
    await checkAll(api, Math.max(0, grants.length - 60));
    const killAt = asked + 1 + random(50);
    let killed: Promise<unknown> | undefined;
    const kill = async (): Promise<void> => {
      while (asked < Math.min(killAt, exchanges)) await wait(1);
      await wait(random(12));
      await (killed ??= backend.end("SIGKILL"));
    };
    await Promise.all([kill(), ...owned.map((mine) => work(api, mine, () => killed !== undefined))]);
    seen.kills += 1;
    await api.close();
  }

  const backend = await startBackendProcess(t, configuration, environment);
  const api = connect(backend.url);
  for (const grant of grants) await settle(api, grant);
  await checkAll(api);
  for (const grant of grants) {
    t.is(rows(grant.subject), grant.sets, `${grant.subject}: ${grant.over ?? "alive"}`);
    const { totalCount } = await api.authTokenGetList({ subject: grant.subject });
    t.is(totalCount, grant.over === undefined ? grant.sets : 0);
  }
  // A code that was answered is worth nothing any more, and takes its tokens with it.
  for (const grant of grants
    .filter(({ accessTokens, over }) => accessTokens.length > 0 && over === undefined)
    .slice(0, 20)) {
    t.is(await askAgain(api, { kind: "code", value: grant.codes[0] ?? "" }), undefined);
    for (const token of grant.accessTokens) t.false(await isActive(api, token));
    t.is(rows(grant.subject), grant.sets);
  }
  t.log(`${asked} exchanges, ${grants.length} codes`, seen);
  t.true(seen.kills >= 5, `${seen.kills} kills`);
  t.true(seen.lost >= 10, `${seen.lost} unanswered`);
  t.true(grants.flatMap(({ accessTokens }) => accessTokens).length > 200);
  await api.close();
  t.is(await backend.end("SIGTERM"), 0);
});
