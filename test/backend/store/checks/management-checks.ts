import {
  StoreFailure,
  type AccessTokensQuery,
  type Store,
  type TokenCountQuery,
} from "../../../../src/backend/store/store.ts";
import {
  attempt,
  digest,
  endGrant,
  exchange,
  issueCode,
  issueGrant,
  issueTokens,
  keepTicket,
  putConfiguration,
  refresh,
  revoke,
  revokeTokens,
  rotate,
  twoServices,
  updateToken,
} from "../commands.ts";
import { anew, apply, type Checks } from "./check.ts";

const list = (store: Store, query: Partial<AccessTokensQuery> = {}, serviceId = 1) =>
  store.listAccessTokens(serviceId, { status: "all", now: 2_000, start: 0, end: 100, most: 1_000, ...query });

const count = async (store: Store, of: TokenCountQuery["of"], serviceId = 1, now = 2_000, most = 1_000) =>
  store.countTokens(serviceId, { of, now, most });

const exactly = (number: number) => ({ count: number, moreThanCounted: false });

const isInForce = async (store: Store, { accessToken, serviceId }: ReturnType<typeof issueTokens>) =>
  (await store.readAccessToken(serviceId, accessToken.digest)) !== undefined;

/** What an API caller does with tokens: update, revoke, list. */
export const managementChecks: Checks = {
  "an update changes the members given and no others": async (t, store) => {
    const original = { scopes: ["a"], expiresAt: 5_000, properties: [], x5tS256: "x1" };
    for (const changes of [
      { scopes: ["b", "c"] },
      { scopes: [] },
      { expiresAt: 4_000 },
      { expiresAt: 9_999 },
      { properties: [{ key: "k", value: "v" }] },
      { x5tS256: "x2" },
      { scopes: ["b"], expiresAt: 1, properties: [{ key: "1", value: "" }], x5tS256: "x3" },
      {},
    ]) {
      const issued = issueTokens({ accessToken: original });
      const update = updateToken(issued, changes);
      await apply(t, store, issued);
      const before = await store.readAccessToken(1, issued.accessToken.digest);
      await apply(t, store, update, update);
      t.deepEqual(await store.readAccessToken(1, issued.accessToken.digest), { ...before, ...changes } as never);
    }
  },

  "an update adds absent members": async (t, store) => {
    const issued = issueTokens();
    await apply(t, store, issued, updateToken(issued, { properties: [], x5tS256: "x" }));
    t.like(await store.readAccessToken(1, issued.accessToken.digest), { properties: [], x5tS256: "x" });
  },

  "an update of a refresh token's expiry applies to the unused one": async (t, store) => {
    const family = issueGrant("grant");
    const [rotation, other] = [rotate(family), issueGrant("other")];
    await apply(t, store, family, rotation, other, updateToken(family, { refreshTokenExpiresAt: 40_000 }));
    const expiries = await Promise.all(
      [family, rotation, other].map(
        async ({ refreshToken }) => (await store.readRefreshToken(1, refreshToken.digest))?.expiresAt,
      ),
    );
    t.deepEqual(expiries, [9_000, 40_000, 9_000]);
    await store.sweep(39_999, 100);
    t.truthy(await store.readRefreshToken(1, rotation.refreshToken.digest), "its grant lives on with it");
  },

  "an update that lengthens an access token lengthens its grant": async (t, store) => {
    const family = issueGrant("grant");
    await apply(t, store, family, updateToken(family, { expiresAt: 40_000 }));
    await store.sweep(39_999, 100);
    t.true(await isInForce(store, family));
  },

  "only an active token is updated": async (t, store) => {
    const [ended, ofEnded, alive] = [issueTokens(), issueGrant("ended"), issueTokens({ clientId: 12 })];
    await apply(t, store, ended, ofEnded, alive, revoke(ended), endGrant("ended"));
    for (const token of [ended, ofEnded, issueTokens()]) {
      t.is(await store.run(updateToken(token, { expiresAt: 9_999 })), "conflict");
    }
    t.is(await store.run({ ...updateToken(alive, {}), serviceId: 2 }), "conflict");
    await apply(t, store, putConfiguration({ id: 1, clients: [{ id: 11 }] }));
    t.is(await store.run(updateToken(alive, { expiresAt: 9_999 })), "conflict", "its client is gone");
  },

  "an update is done also when its token has ended since it was first run": async (t, store) => {
    const issued = issueTokens();
    const update = updateToken(issued, { expiresAt: 9_999 });
    await apply(t, store, issued, update, revoke(issued), update);
    t.is(await store.run(anew(update, attempt())), "conflict");
  },

  "tokens of a client, of a subject and of both end, and no others": async (t, store) => {
    const make = (name: string) => ({
      mine: issueGrant(`${name}-mine`, { subject: "ada" }),
      ofAnotherSubject: issueGrant(`${name}-other`, { subject: "bob" }),
      ofAnotherClient: issueGrant(`${name}-client`, { subject: "ada", clientId: 12 }),
      ofAnotherService: issueGrant(`${name}-service`, { subject: "ada", serviceId: 2, clientId: 21 }),
      alone: issueTokens(),
      aloneOfSubject: issueTokens({ subject: "ada" }),
      aloneOfAnotherClient: issueTokens({ clientId: 12 }),
    });
    const expected = {
      client: [revokeTokens({ clientId: 11 }), "mine ofAnotherSubject alone aloneOfSubject", 6],
      subject: [revokeTokens({ subject: "ada" }), "mine ofAnotherClient aloneOfSubject", 5],
      both: [revokeTokens({ clientId: 11, subject: "ada" }), "mine aloneOfSubject", 3],
      nobody: [revokeTokens({ clientId: 11, subject: "eve" }), "", 0],
    } as const;
    for (const [name, [revocation, ended, expectedCount]] of Object.entries(expected)) {
      const tokens = make(name);
      await apply(t, store, ...Object.values(tokens));
      const { clientId, subject } = revocation;
      t.deepEqual(await count(store, { clientId, subject }), exactly(expectedCount), name);
      await apply(t, store, revocation);
      t.deepEqual(await count(store, { clientId, subject }), exactly(0), name);
      const gone = [];
      for (const [which, token] of Object.entries(tokens)) if (!(await isInForce(store, token))) gone.push(which);
      t.is(gone.join(" "), ended, name);
      await apply(t, store, revokeTokens({ clientId: 11 }), revokeTokens({ clientId: 12 }));
    }
  },

  "a revocation run again does not end what was issued meanwhile": async (t, store) => {
    const [before, alone, after, aloneAfter] = [
      issueGrant("before"),
      issueTokens(),
      issueGrant("after"),
      issueTokens(),
    ];
    const revocation = revokeTokens({ clientId: 11 });
    await apply(t, store, before, alone, revocation, after, aloneAfter, revocation);
    t.deepEqual(await Promise.all([before, alone, after, aloneAfter].map((token) => isInForce(store, token))), [
      false,
      false,
      true,
      true,
    ]);
    await apply(t, store, revokeTokens({ clientId: 11 }));
    t.false(await isInForce(store, after));
  },

  "a revocation is stored as long as a token that it ended, and no token comes back": async (t, store) => {
    const families = ["1", "2", "3"].map((grantId) => issueGrant(grantId, { subject: "ada" }));
    const ticket = keepTicket({ expiresAt: 20_000 });
    const code = issueCode(ticket, { subject: "ada", expiresAt: 9_000 });
    const remains = async () => {
      const found = await Promise.all([
        ...families.map(({ accessToken }) => store.readAccessToken(1, accessToken.digest)),
        ...families.map(({ refreshToken }) => store.readRefreshToken(1, refreshToken.digest)),
        store.readCode(1, code.code.digest),
      ]);
      return found.filter((one) => one !== undefined).length;
    };
    await apply(t, store, ...families, ticket, code);
    t.is(await remains(), 7);
    await apply(t, store, revokeTokens({ subject: "ada" }));
    t.is(await remains(), 0);
    t.is(await store.run(exchange(code)), "conflict");
    t.is(await store.sweep(9_000, 100), 3, "the access tokens");
    t.is(await remains(), 0);
    // One of a kind at a time: three refresh tokens, three grants and a code go before the revocation.
    const deleted = [];
    for (let round = 0; round < 5; round++) {
      deleted.push(await store.sweep(9_001, 1));
      t.is(await remains(), 0);
    }
    t.deepEqual(deleted, [3, 2, 3, 0, 0]);
    const later = issueGrant("later", { subject: "ada" });
    await apply(t, store, later);
    t.true(await isInForce(store, later));
    await apply(t, store, revokeTokens({ subject: "ada" }));
    t.false(await isInForce(store, later));
  },

  "two hundred issues beside a revocation: earlier tokens end, later ones are valid": async (t, store) => {
    const decide = async (_: unknown, round: number): Promise<void> => {
      const subject = `user-${round}`;
      const owner = [{ subject }, { clientId: 12, subject }][round % 2] ?? {};
      const issue = issueGrant(`grant-${round}`, { subject, clientId: 12 });
      const first = round % 4 < 2;
      const pair = first ? [issue, revokeTokens(owner)] : [revokeTokens(owner), issue];
      await Promise.all(pair.map((command) => store.run(command)));
      t.is(await isInForce(store, issue), !first);
    };
    await Promise.all(Array.from({ length: 200 }, decide));
  },

  "only live tokens are counted: no revoked, consumed or expired ones": async (t, store) => {
    const family = issueGrant("grant", { subject: "ada" });
    const rotation = rotate(family, { subject: "ada" });
    const expired = refresh(rotation, undefined, { subject: "ada", accessToken: { expiresAt: 2_000 } });
    const [revoked, dead] = [issueTokens(), issueTokens({ accessToken: { expiresAt: 1_000 } })];
    await apply(t, store, family, rotation, expired, revoke(family), revoked, revoke(revoked), dead, issueTokens());
    t.deepEqual(await count(store, { clientId: 11 }), exactly(3), "an access and a refresh token, and one alone");
    t.deepEqual(await count(store, { subject: "ada" }), exactly(2));
    t.deepEqual(await count(store, { clientId: 11, subject: "ada" }), exactly(2));
    t.deepEqual(await count(store, { clientId: 12, subject: "ada" }), exactly(0));
    t.deepEqual(await count(store, { grantId: "grant" }), exactly(2));
    t.deepEqual(await count(store, { grantId: "grant" }, 2), exactly(0));
    t.deepEqual(await count(store, { clientId: 11 }, 1, 9_000), exactly(0), "all have expired");
    await apply(t, store, issueGrant("end"));
    t.deepEqual(await count(store, { grantId: "end" }), exactly(2));
    await apply(t, store, endGrant("end"));
    t.deepEqual(await count(store, { grantId: "end" }), exactly(0));
    await apply(t, store, putConfiguration({ id: 1 }, { id: 2 }));
    t.deepEqual(await count(store, { clientId: 11 }), exactly(0), "their client is gone");
  },

  "the count stops at its limit, and says so": async (t, store) => {
    await apply(t, store, ...["1", "2", "3"].map((grantId) => issueGrant(grantId, { subject: "ada" })));
    for (const owner of [{ clientId: 11 }, { subject: "ada" }, { clientId: 11, subject: "ada" }]) {
      t.deepEqual(await count(store, owner, 1, 2_000, 3), exactly(6));
      const { count: found, moreThanCounted } = await count(store, owner, 1, 2_000, 2);
      t.true(moreThanCounted && found >= 4 && found <= 6);
    }
    await t.throwsAsync(count(store, {}), { instanceOf: StoreFailure }, "never all of a service by an omission");
  },

  "tokens are listed in the order of their issue, slice by slice": async (t, store) => {
    const tokens = Array.from({ length: 7 }, (_, index) =>
      issueTokens({ createdAt: index < 5 ? 1_000 - index : 996, accessToken: { digest: digest() } }),
    );
    await apply(t, store, ...tokens);
    const inOrder = tokens
      .map(({ createdAt, accessToken }) => [createdAt, Buffer.from(accessToken.digest).toString("hex")] as const)
      .toSorted(([a, x], [b, y]) => a - b || (x < y ? -1 : 1))
      .map(([, hex]) => hex);
    for (const [start, end] of [
      [0, 7],
      [0, 3],
      [3, 6],
      [6, 100],
      [7, 9],
      [2, 2],
      [5, 2],
    ] as const) {
      const { totalCount, tokens: found } = await list(store, { clientId: 11, start, end });
      t.is(totalCount, 7);
      t.deepEqual(
        found.map((token) => Buffer.from(token.digest).toString("hex")),
        inOrder.slice(start, end),
        `${start} to ${end}`,
      );
    }
  },

  "tokens are listed by client, subject, both or neither, and by their status": async (t, store) => {
    const tokens = {
      ada: issueGrant("ada", { subject: "ada" }),
      bob: issueGrant("bob", { subject: "bob" }),
      twelve: issueGrant("twelve", { subject: "ada", clientId: 12 }),
      alone: issueTokens(),
      expiring: issueTokens({ accessToken: { expiresAt: 2_000 } }),
      elsewhere: issueGrant("elsewhere", { subject: "ada", serviceId: 2, clientId: 21 }),
      revoked: issueTokens(),
      ended: issueGrant("ended", { subject: "ada" }),
    };
    await apply(t, store, ...Object.values(tokens), revoke(tokens.revoked), endGrant("ended"));
    const namesOf = async (query: Partial<AccessTokensQuery>, serviceId = 1) => {
      const { totalCount, tokens: found } = await list(store, query, serviceId);
      t.is(totalCount, found.length);
      const digests = found.map((token) => Buffer.from(token.digest).toString("hex"));
      return Object.entries(tokens)
        .filter(([, { accessToken }]) => digests.includes(Buffer.from(accessToken.digest).toString("hex")))
        .map(([name]) => name)
        .join(" ");
    };
    t.is(await namesOf({}), "ada bob twelve alone expiring");
    t.is(await namesOf({}, 2), "elsewhere");
    t.is(await namesOf({}, 3), "");
    t.is(await namesOf({ clientId: 11 }), "ada bob alone expiring");
    t.is(await namesOf({ subject: "ada" }), "ada twelve");
    t.is(await namesOf({ clientId: 11, subject: "ada" }), "ada");
    t.is(await namesOf({ clientId: 12, subject: "bob" }), "");
    t.is(await namesOf({ status: "valid", now: 1_999 }), "ada bob twelve alone expiring");
    t.is(await namesOf({ status: "valid", now: 2_000 }), "ada bob twelve alone");
    t.is(await namesOf({ status: "invalid", now: 1_999 }), "");
    t.is(await namesOf({ status: "invalid", now: 2_000, clientId: 11 }), "expiring");
    await apply(t, store, putConfiguration({ id: 1, clients: [{ id: 12 }] }), twoServices());
    t.is(await namesOf({}), "twelve", "those of a client that was deleted are gone for good");
  },

  "a listed token has its grant's refresh token that has not been consumed": async (t, store) => {
    const family = issueGrant("grant", { subject: "ada" });
    const rotation = rotate(family, { subject: "ada", createdAt: 2_600 });
    const successor = { ...rotation.refreshToken, scopes: ["a", "b"], expiresAt: 9_100 };
    await apply(t, store, family, { ...rotation, refreshToken: successor });
    const { tokens } = await list(store, { subject: "ada" });
    t.is(tokens.length, 2);
    for (const { refreshToken, lastRefreshedAt, refreshTokenExpiresAt } of tokens) {
      t.deepEqual(Buffer.from(refreshToken?.digest ?? []), Buffer.from(successor.digest));
      t.deepEqual([refreshToken?.scopes, refreshToken?.expiresAt], [["a", "b"], 9_100]);
      t.is(refreshTokenExpiresAt, 9_100);
      t.is(lastRefreshedAt, 2_600);
    }
    const alone = issueTokens({ clientId: 12 });
    await apply(t, store, alone);
    t.like((await list(store, { clientId: 12 })).tokens[0], { refreshToken: undefined, lastRefreshedAt: undefined });
  },
};
