import { StoreFailure } from "../../../../src/backend/store/store.ts";
import { attempt, digest, issueGrant, issueTokens, revoke, twoServices } from "../commands.ts";
import { apply, type Checks } from "./check.ts";

/** What holds for every kind of row, and of the writer and its end. */
export const driverChecks: Checks = {
  "an empty store returns nothing": async (t, store) => {
    t.is(await store.readService(1), undefined);
    t.is(await store.readClient(1, { clientId: 11 }), undefined);
    t.is(await store.readClient(1, { clientIdAlias: "eleven" }), undefined);
    t.is(await store.readAccessToken(1, digest()), undefined);
    t.is(await store.readRefreshToken(1, digest()), undefined);
    t.is(await store.readTicket(1, digest()), undefined);
    t.is(await store.readCode(1, digest()), undefined);
    t.deepEqual(await store.countTokens(1, { of: { clientId: 11 }, now: 0, most: 1 }), {
      count: 0,
      moreThanCounted: false,
    });
    t.deepEqual(await store.listAccessTokens(1, { status: "all", now: 0, start: 0, end: 10, most: 10 }), {
      totalCount: 0,
      moreThanCounted: false,
      tokens: [],
      next: undefined,
    });
    t.is(await store.sweep(10_000, 10), 0);
  },

  "the sweep deletes what expired, a few rows at a time, and nothing else": async (t, store) => {
    await apply(t, store, twoServices());
    const expired = Array.from({ length: 7 }, () => issueTokens({ accessToken: { expiresAt: 1_999 } }));
    const kept = [2_000, 2_001].map((expiresAt) => issueTokens({ accessToken: { expiresAt } }));
    const family = issueGrant("grant", { accessToken: { expiresAt: 1_999 } });
    await apply(t, store, ...expired, ...kept, family);
    t.is(await store.sweep(2_000, 3), 3);
    t.is(await store.sweep(2_000, 3), 3);
    t.is(await store.sweep(2_000, 3), 2);
    t.is(await store.sweep(2_000, 3), 0);
    for (const { accessToken } of expired) t.is(await store.readAccessToken(1, accessToken.digest), undefined);
    for (const { accessToken } of kept) t.truthy(await store.readAccessToken(1, accessToken.digest));
    t.truthy(await store.readRefreshToken(1, family.refreshToken.digest), "its grant lives on with it");
    t.is(await store.sweep(9_001, 3), 4, "two access tokens, the refresh token and its grant");
  },

  "a sweep needs a limit": async (t, store) => {
    for (const limit of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await t.throwsAsync(store.sweep(1, limit), { instanceOf: TypeError, code: "ERR_SWEEP_LIMIT" }, `${limit}`);
    }
  },

  "of a hundred revocations of one token exactly one is done": async (t, store) => {
    await apply(t, store, twoServices());
    const issued = issueTokens();
    await apply(t, store, issued);
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => store.run(revoke(issued))));
    t.is(outcomes.filter((outcome) => outcome === "done").length, 1);
    t.is(outcomes.filter((outcome) => outcome === "conflict").length, 99);
  },

  "a command that conflicts or fails does not affect the others in its batch": async (t, store) => {
    await apply(t, store, twoServices());
    const good = Array.from({ length: 4 }, () => issueTokens());
    const halfway = issueGrant("halfway");
    const outcomes = await Promise.allSettled([
      store.run(issueTokens(good[0])),
      store.run(issueTokens({ ...good[1] })),
      store.run(issueTokens({ serviceVersion: 9 })),
      // Fails at its third statement: too short for a digest.
      store.run({ ...halfway, refreshToken: { ...halfway.refreshToken, digest: digest().subarray(1) } }),
      store.run(issueTokens({ ...good[2] })),
      store.run(revoke(issueTokens())),
      store.run(issueTokens({ ...good[3] })),
    ]);
    t.deepEqual(
      outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : "failed")),
      ["done", "done", "conflict", "failed", "done", "conflict", "done"],
    );
    for (const { accessToken } of good) t.truthy(await store.readAccessToken(1, accessToken.digest));
    t.is(await store.readAccessToken(1, halfway.accessToken.digest), undefined);
    await apply(t, store, issueGrant("halfway"));
  },

  "commands of one batch see each other in their order": async (t, store) => {
    const issued = issueTokens();
    const outcomes = await Promise.all([
      store.run(issued),
      store.run(twoServices()),
      store.run(issueTokens(issued)),
      store.run(revoke(issued)),
      store.run(revoke(issued)),
    ]);
    t.deepEqual(outcomes, ["conflict", "done", "done", "done", "conflict"]);
  },

  "octets may be views into a larger buffer": async (t, store) => {
    const view = (octets: Uint8Array) => {
      const pool = Buffer.alloc(4_096, 0xaa);
      pool.set(octets, 100);
      return pool.subarray(100, 100 + octets.length);
    };
    await apply(t, store, twoServices());
    const whole = digest();
    const issued = issueTokens({ attempt: view(attempt()), accessToken: { digest: view(whole) } });
    await apply(t, store, issued, issued);
    t.truthy(await store.readAccessToken(1, whole));
    t.truthy(await store.readAccessToken(1, view(whole)));
  },

  "a failure does not quote the data of its command": async (t, store) => {
    await apply(t, store, twoServices());
    const secret = "Zm9vYmFyc2VjcmV0dG9rZW4";
    const issue = issueTokens({
      subject: secret,
      accessToken: { digest: Buffer.from(secret), properties: [{ key: secret, value: secret }] },
    });
    const failure = await t.throwsAsync(store.run(issue), { instanceOf: StoreFailure });
    const told = `${String(failure)} ${failure.stack ?? ""} ${String(failure.cause)}`;
    t.false(told.includes(secret));
    t.false(told.includes(Buffer.from(secret).toString("hex")));
  },

  "closing runs the accepted commands, then rejects everything": async (t, store) => {
    const outcomes = [store.run(twoServices()), store.run(issueTokens()), store.run(issueTokens({ clientId: 13 }))];
    const closed = store.close();
    const late = store.run(issueTokens());
    await t.throwsAsync(late, {
      instanceOf: StoreFailure,
      message: "the write was not acknowledged: the store is closed",
    });
    await closed;
    t.deepEqual(await Promise.all(outcomes), ["done", "done", "conflict"]);
    const closedFailure = { instanceOf: StoreFailure, message: /: the store is closed$/ };
    await t.throwsAsync(store.run(issueTokens()), closedFailure);
    await t.throwsAsync(store.sweep(1, 1), closedFailure);
    await t.throwsAsync(store.readService(1), closedFailure);
    await t.throwsAsync(store.readClient(1, { clientId: 11 }), closedFailure);
    await t.throwsAsync(store.readAccessToken(1, digest()), closedFailure);
    await t.throwsAsync(store.readRefreshToken(1, digest()), closedFailure);
    await t.throwsAsync(store.readTicket(1, digest()), closedFailure);
    await t.throwsAsync(store.readCode(1, digest()), closedFailure);
    await t.throwsAsync(store.countTokens(1, { of: { clientId: 11 }, now: 0, most: 1 }), closedFailure);
    await t.throwsAsync(
      store.listAccessTokens(1, { status: "all", now: 0, start: 0, end: 10, most: 10 }),
      closedFailure,
    );
    await store.close();
  },
};
