import type { Command, IssueTokens } from "../../../../src/backend/store/command.ts";
import type { Store } from "../../../../src/backend/store/store.ts";
import { StoreFailure } from "../../../../src/backend/store/store.ts";
import {
  attempt,
  digest,
  endGrant,
  issueGrant,
  issueTokens,
  putConfiguration,
  refresh,
  revoke,
  revokeTokens,
  rotate,
  twoServices,
} from "../commands.ts";
import { anew, apply, type Checks } from "./check.ts";

const consumptionOf = async (store: Store, { refreshToken }: { refreshToken: { digest: Uint8Array } }) =>
  (await store.readRefreshToken(1, refreshToken.digest))?.consumption;

/** Both ways to use a refresh token. */
const uses = { rotated: rotate, kept: refresh } as Readonly<
  Record<string, (family: ReturnType<typeof issueGrant>) => IssueTokens>
>;

/** Refresh tokens: kept and rotated. */
export const refreshChecks: Checks = {
  "every member of a public client's refresh token is read back": async (t, store) => {
    const { refreshToken, ...issue } = issueGrant("grant", { accessToken: { grantType: "PASSWORD" } });
    const bound = { ...refreshToken, scopes: ["a"], resources: ["b"], x5tS256: "A4Dt" };
    await apply(t, store, { ...issue, grant: { grantId: "grant", details: "{}" }, refreshToken: bound });
    t.deepEqual(await store.readRefreshToken(1, bound.digest), {
      ...bound,
      clientId: 11,
      grantId: "grant",
      grantType: "PASSWORD",
      subject: "user",
      clientIdAliasUsed: false,
      details: "{}",
      consumption: undefined,
      createdAt: 1_000,
      clientVersion: 1,
      serviceVersion: 1,
    });
  },

  "rotation consumes the old token and stores its answer; the successor replaces it": async (t, store) => {
    const family = issueGrant("grant");
    const rotation = rotate(family);
    await apply(t, store, family, rotation, rotation);
    const consumption = await consumptionOf(store, family);
    t.is(consumption?.at, 2_500);
    t.is(Buffer.from(consumption?.sealedAnswer ?? []).toString(), "sealed answer");
    t.false(consumption?.successorUsed);
    t.is(await consumptionOf(store, rotation), undefined);
    t.is((await store.readRefreshToken(1, rotation.refreshToken.digest))?.grantId, "grant");
    for (const { accessToken } of [family, rotation]) t.truthy(await store.readAccessToken(1, accessToken.digest));
  },

  "a successor counts as used after it was rotated, kept or deleted": async (t, store) => {
    for (const [how, use] of Object.entries(uses)) {
      const family = issueGrant(how);
      const rotation = rotate(family);
      await apply(t, store, family, rotation, use(rotation));
      t.true((await consumptionOf(store, family))?.successorUsed, how);
    }
    const family = issueGrant("gone");
    const rotation = rotate(family);
    await apply(t, store, family, { ...rotation, refreshToken: { ...rotation.refreshToken, expiresAt: 6_000 } });
    await store.sweep(6_001, 100);
    t.true((await consumptionOf(store, family))?.successorUsed);
  },

  "in a chain of rotations each token has one successor; only the last is unused": async (t, store) => {
    const chain = [issueGrant("grant")];
    await apply(t, store, ...chain);
    for (let round = 0; round < 5; round++) {
      const last = chain.at(-1) ?? issueGrant("never");
      const next = rotate(last);
      await apply(t, store, next);
      for (const earlier of chain) t.is(await store.run(rotate(earlier)), "conflict");
      chain.push(next);
    }
    const consumptions = await Promise.all(chain.map((family) => consumptionOf(store, family)));
    t.deepEqual(
      consumptions.map((consumption) => consumption?.successorUsed),
      [true, true, true, true, false, undefined],
    );
  },

  "a kept refresh token is unchanged except for its new expiry": async (t, store) => {
    const family = issueGrant("grant");
    await apply(t, store, family);
    const before = await store.readRefreshToken(1, family.refreshToken.digest);
    const [first, second] = [refresh(family), refresh(family, 9_500)];
    await apply(t, store, first, first);
    t.deepEqual(await store.readRefreshToken(1, family.refreshToken.digest), before);
    await apply(t, store, second, refresh(family), first);
    t.deepEqual(await store.readRefreshToken(1, family.refreshToken.digest), { ...before, expiresAt: 9_500 } as never);
    for (const { accessToken } of [first, second]) {
      t.is((await store.readAccessToken(1, accessToken.digest))?.refreshTokenExpiresAt, 9_500);
    }
  },

  "the first run of a refresh that is repeated does not undo a later one": async (t, store) => {
    const family = issueGrant("grant");
    const [first, later] = [refresh(family, 9_500), refresh(family, 9_900)];
    await apply(t, store, family, first, later, first);
    t.is((await store.readRefreshToken(1, family.refreshToken.digest))?.expiresAt, 9_900);
  },

  "a consumed refresh token gives nothing more, kept or rotated": async (t, store) => {
    const family = issueGrant("grant");
    await apply(t, store, family, rotate(family));
    for (const [how, use] of Object.entries(uses)) {
      const late = use(family);
      t.is(await store.run(late), "conflict", how);
      t.is(await store.readAccessToken(1, late.accessToken.digest), undefined);
    }
  },

  "a refresh that cannot be stored leaves the refresh token usable": async (t, store) => {
    const [family, other] = [issueGrant("grant"), issueGrant("other", { accessToken: { jwtDigest: digest() } })];
    await apply(t, store, family, other);
    for (const [how, use] of Object.entries(uses)) {
      const fresh = use(family);
      const { accessToken, source } = fresh;
      for (const [what, changes] of Object.entries<object>({
        "an access token that is there": { accessToken: other.accessToken },
        "a JWT that is there": { accessToken: { ...accessToken, jwtDigest: other.accessToken.jwtDigest } },
        ...(how === "rotated" && { "a refresh token that is there": { refreshToken: other.refreshToken } }),
        "another grant": { grant: { grantId: "other" } },
        "a grant that is not known": { grant: { grantId: "unknown" } },
        "a refresh token that is not known": { source: { ...source, digest: digest() } },
        "an access token as refresh token": { source: { ...source, digest: family.accessToken.digest } },
        "another version of the service": { serviceVersion: 2 },
        "another version of the client": { clientVersion: 2 },
        "another client": { clientId: 12 },
        "another service": { serviceId: 2, clientId: 21 },
      })) {
        t.is(await store.run({ ...fresh, attempt: attempt(), ...changes }), "conflict", `${how}: ${what}`);
        t.is(await consumptionOf(store, family), undefined, what);
        t.is(await store.readAccessToken(1, accessToken.digest), undefined, what);
      }
    }
    await apply(
      t,
      store,
      ...Object.values(uses)
        .reverse()
        .map((use) => use(family)),
    );
  },

  "nothing is issued for a refresh token of a grant that has ended": async (t, store) => {
    for (const [how, use] of Object.entries(uses)) {
      const family = issueGrant(how);
      await apply(t, store, family, endGrant(how));
      const late = use(family);
      t.is(await store.run(late), "conflict", how);
      t.is(await store.readAccessToken(1, late.accessToken.digest), undefined);
      t.is(await store.readRefreshToken(1, family.refreshToken.digest), undefined);
    }
  },

  "a refresh token from before a deletion gives nothing, also after its client is back": async (t, store) => {
    const families = { rotated: issueGrant("rotated"), kept: issueGrant("kept") };
    await apply(t, store, ...Object.values(families), putConfiguration({ id: 1 }), twoServices());
    const { version: clientVersion = 0 } = (await store.readClient(1, { clientId: 11 })) ?? {};
    for (const [how, family] of Object.entries(families)) {
      t.is(await store.run({ ...(uses[how]?.(family) ?? family), clientVersion }), "conflict", how);
    }
  },

  "a refresh token whose access token was revoked gives another one": async (t, store) => {
    const family = issueGrant("grant");
    await apply(t, store, family, revoke(family), refresh(family), rotate(family));
  },

  "a grant lives as long as its longest token, and has the time of its last tokens": async (t, store) => {
    const family = issueGrant("grant");
    const rotation = rotate(family, { createdAt: 2_600 });
    const longer = { ...rotation, refreshToken: { ...rotation.refreshToken, expiresAt: 20_000 } };
    const listed = async () =>
      (await store.listAccessTokens(1, { subject: "user", status: "all", now: 0, start: 0, end: 1, most: 10 }))
        .tokens[0];
    await apply(t, store, family);
    t.is((await listed())?.lastRefreshedAt, undefined);
    await apply(t, store, longer);
    t.is((await listed())?.lastRefreshedAt, 2_600);
    t.is((await listed())?.refreshToken?.expiresAt, 20_000);
    await store.sweep(19_000, 100);
    t.truthy(await store.readRefreshToken(1, longer.refreshToken.digest));
    const last = refresh(longer, 30_000, { createdAt: 2_700, accessToken: { expiresAt: 29_000 } });
    await apply(t, store, last);
    t.is((await listed())?.lastRefreshedAt, 2_700);
    await store.sweep(29_500, 100);
    t.is((await store.readRefreshToken(1, longer.refreshToken.digest))?.expiresAt, 30_000);
    const shorter = refresh(longer, 29_600, { accessToken: { expiresAt: 29_700 } });
    await apply(t, store, shorter);
    await store.sweep(29_650, 100);
    t.truthy(await store.readAccessToken(1, shorter.accessToken.digest), "its grant is not swept before it");
  },

  "a refresh without what it needs is a fault, and changes nothing": async (t, store) => {
    const family = issueGrant("grant");
    await apply(t, store, family);
    const { refreshToken, ...rotation } = rotate(family);
    await t.throwsAsync(store.run(rotation), { instanceOf: StoreFailure });
    await t.throwsAsync(store.run({ ...refresh(family), refreshToken }), { instanceOf: StoreFailure });
    await t.throwsAsync(store.run(revokeTokens({})), { instanceOf: StoreFailure });
    t.is(await consumptionOf(store, family), undefined);
    t.truthy(await store.readAccessToken(1, family.accessToken.digest));
  },

  "of fifty rotations of one refresh token exactly one is done": async (t, store) => {
    const family = issueGrant("grant");
    await apply(t, store, family);
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => store.run(rotate(family))));
    t.is(outcomes.filter((outcome) => outcome === "done").length, 1);
  },

  "two hundred pairs of commands on one source, in either order: exactly one is done": async (t, store) => {
    const decide = async (_: unknown, round: number): Promise<void> => {
      const subject = `user-${round}`;
      const family = issueGrant(`grant-${round}`, { subject });
      const [use, end] = [rotate(family), endGrant(`grant-${round}`)];
      await apply(t, store, family);
      const pairs: Command[][] = [
        [use, rotate(family)],
        [use, end],
        [end, use],
        [use, anew(use, attempt())],
        [use, revokeTokens({ subject })],
        [revokeTokens({ subject }), use],
      ];
      const pair = pairs[round % pairs.length] ?? [];
      const outcomes = await Promise.all(pair.map((command) => store.run(command)));
      const access = await store.readAccessToken(1, use.accessToken.digest);
      t.is(outcomes[0], "done");
      if (pair.includes(end) || pair.some(({ name }) => name === "revoke-tokens")) {
        t.is(access, undefined, "whatever came first, nothing of an ended grant is in force");
        t.is(outcomes[1], pair[0] === use ? "done" : "conflict");
      } else {
        t.is(outcomes[1], "conflict");
        t.truthy(access);
      }
    };
    // All at once, so that the pairs share commits with each other as well.
    await Promise.all(Array.from({ length: 200 }, decide));
  },

  "an access token is found by either of its forms": async (t, store) => {
    const jwtDigest = digest();
    const [issue, alone] = [issueGrant("grant", { accessToken: { jwtDigest } }), issueTokens()];
    await apply(t, store, issue, alone);
    const byOpaque = await store.readAccessToken(1, issue.accessToken.digest);
    const byJwt = await store.readAccessToken(1, jwtDigest);
    t.deepEqual(Buffer.from(byJwt?.digest ?? []), Buffer.from(issue.accessToken.digest));
    t.deepEqual({ ...byJwt, digest: undefined }, { ...byOpaque, digest: undefined } as never);
    t.is(await store.readAccessToken(2, jwtDigest), undefined);
    t.is(await store.run(issueTokens({ accessToken: { jwtDigest } })), "conflict", "a JWT is one token's");
    await apply(t, store, revoke(issue));
    t.is(await store.readAccessToken(1, jwtDigest), undefined);
    t.truthy(await store.readAccessToken(1, alone.accessToken.digest));
  },
};
