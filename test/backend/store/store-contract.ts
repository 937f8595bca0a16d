import type { ExecutionContext, TestFn } from "ava";
import { StoreFailure, type Store } from "../../../src/backend/store/store.ts";
import {
  attempt,
  digest,
  endGrant,
  issueGrant,
  issueTokens,
  putConfiguration,
  revoke,
  twoServices,
} from "./commands.ts";
import { apply, type Checks } from "./checks/check.ts";
import { managementChecks } from "./checks/management-checks.ts";
import { refreshChecks } from "./checks/refresh-checks.ts";
import { ticketChecks } from "./checks/ticket-checks.ts";

/** A fresh, empty store, and what its driver can do past the interface. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Runs SQL past the store, where something else can reach the database; needed to make rows of other sources. */
  readonly execute?: (sql: string) => void | Promise<void>;
}

/** Opens a fresh store and arranges for its end after the test. */
export type OpenStore = (t: ExecutionContext) => Promise<StoreUnderTest>;

/** Registers the store's contract as tests of one driver. */
export function storeContract(test: TestFn, driver: string, open: OpenStore, canExecute: boolean): void {
  for (const [title, check] of Object.entries(checks)) {
    test(`${driver}: ${title}`, async (t) => {
      await check(t, (await open(t)).store);
    });
  }
  for (const [title, check] of Object.entries({ ...ticketChecks, ...refreshChecks, ...managementChecks })) {
    test(`${driver}: ${title}`, async (t) => {
      const { store } = await open(t);
      await store.run(twoServices());
      await check(t, store);
    });
  }
  if (!canExecute) return;
  for (const [title, check] of Object.entries(otherSourceChecks)) {
    test(`${driver}: ${title}`, async (t) => {
      const { store, execute } = await open(t);
      if (execute === undefined) throw new Error("the driver said that it can execute SQL");
      await store.run(twoServices());
      await execute(`UPDATE client SET source = 'management' WHERE client_id = 11`);
      await check(t, store);
    });
  }
}

const checks: Checks = {
  "an empty store knows nothing": async (t, store) => {
    t.is(await store.readService(1), undefined);
    t.is(await store.readClient(1, { clientId: 11 }), undefined);
    t.is(await store.readClient(1, { clientIdAlias: "eleven" }), undefined);
    t.is(await store.readAccessToken(1, digest()), undefined);
    t.is(await store.readRefreshToken(1, digest()), undefined);
    t.is(await store.readTicket(1, digest()), undefined);
    t.is(await store.readCode(1, digest()), undefined);
    t.is(await store.countEnded(1, attempt(), 0), 0);
    t.deepEqual(await store.listAccessTokens(1, { status: "all", now: 0, start: 0, end: 10 }), {
      totalCount: 0,
      tokens: [],
    });
    t.is(await store.sweep(10_000, 10), 0);
  },

  "configured services and clients are read back by number and by alias": async (t, store) => {
    await apply(t, store, twoServices());
    t.deepEqual(await store.readService(2), { serviceId: 2, version: 1, settings: "service 2" });
    const eleven = { clientId: 11, version: 1, settings: "client 11", serviceVersion: 1 };
    t.deepEqual(await store.readClient(1, { clientId: 11 }), eleven);
    t.deepEqual(await store.readClient(1, { clientIdAlias: "eleven" }), eleven);
    t.is((await store.readClient(2, { clientIdAlias: "eleven" }))?.clientId, 21);
  },

  "a client is known to its own service only, and by its exact alias only": async (t, store) => {
    await apply(t, store, twoServices());
    t.is(await store.readClient(2, { clientId: 11 }), undefined);
    t.is(await store.readClient(3, { clientIdAlias: "eleven" }), undefined);
    for (const clientIdAlias of ["Eleven", "eleven ", "", "11", "%", "twelve"]) {
      t.is(await store.readClient(1, { clientIdAlias }), undefined, clientIdAlias);
    }
  },

  "every member of an access token is read back": async (t, store) => {
    await apply(t, store, twoServices());
    const issued = issueGrant("grant", {
      subject: "ünï code",
      accessToken: {
        scopes: ["read", "write"],
        resources: ["https://api.example/a b", 'https://api.example/"'],
        expiresAt: 1_893_456_000_123,
        x5tS256: "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0",
        clientIdAliasUsed: true,
        properties: '[{"key":"k","value":"v"}]',
      },
    });
    await apply(t, store, issued);
    t.deepEqual(await store.readAccessToken(1, issued.accessToken.digest), {
      ...issued.accessToken,
      clientId: 11,
      grantId: "grant",
      subject: "ünï code",
      details: undefined,
      refreshTokenExpiresAt: 9_000,
      createdAt: 1_000,
      clientVersion: 1,
      serviceVersion: 1,
    });
  },

  "an access token that stands alone has no grant, no subject and empty lists": async (t, store) => {
    await apply(t, store, twoServices());
    const issued = issueTokens();
    await apply(t, store, issued);
    t.deepEqual(await store.readAccessToken(1, issued.accessToken.digest), {
      ...issued.accessToken,
      clientId: 11,
      grantId: undefined,
      subject: undefined,
      details: undefined,
      refreshTokenExpiresAt: undefined,
      createdAt: 1_000,
      clientVersion: 1,
      serviceVersion: 1,
    });
  },

  "every member of a refresh token is read back": async (t, store) => {
    await apply(t, store, twoServices());
    const issued = issueGrant("grant");
    const refreshToken = { ...issued.refreshToken, scopes: ["a", "b"], resources: ["https://api.example"] };
    await apply(t, store, { ...issued, refreshToken });
    t.deepEqual(await store.readRefreshToken(1, refreshToken.digest), {
      ...refreshToken,
      clientId: 11,
      grantId: "grant",
      grantType: "CLIENT_CREDENTIALS",
      subject: "user",
      x5tS256: undefined,
      clientIdAliasUsed: false,
      details: undefined,
      consumption: undefined,
      createdAt: 1_000,
      clientVersion: 1,
      serviceVersion: 1,
    });
  },

  "an access token is no refresh token, and the other way about": async (t, store) => {
    await apply(t, store, twoServices());
    const issued = issueGrant("grant");
    await apply(t, store, issued);
    t.is(await store.readRefreshToken(1, issued.accessToken.digest), undefined);
    t.is(await store.readAccessToken(1, issued.refreshToken.digest), undefined);
  },

  "another service's tokens are unknown and cannot be ended": async (t, store) => {
    await apply(t, store, twoServices());
    const issued = issueGrant("grant");
    await apply(t, store, issued);
    t.is(await store.readAccessToken(2, issued.accessToken.digest), undefined);
    t.is(await store.readRefreshToken(2, issued.refreshToken.digest), undefined);
    t.is(await store.run({ ...revoke(issued), serviceId: 2 }), "conflict");
    t.is(await store.run(endGrant("grant", 2)), "conflict");
    t.truthy(await store.readAccessToken(1, issued.accessToken.digest));
    t.truthy(await store.readRefreshToken(1, issued.refreshToken.digest));
  },

  "ids may be as large as 2^53 - 1": async (t, store) => {
    const id = Number.MAX_SAFE_INTEGER;
    await apply(t, store, putConfiguration({ id, clients: [{ id }, { id: id - 1 }] }));
    const issued = issueTokens({ serviceId: id, clientId: id, accessToken: { expiresAt: id } });
    await apply(t, store, issued);
    const token = await store.readAccessToken(id, issued.accessToken.digest);
    t.is(token?.clientId, id);
    t.is(token?.expiresAt, id);
    t.is((await store.readClient(id, { clientId: id - 1 }))?.clientId, id - 1);
    t.is(await store.readService(id - 1), undefined);
  },

  "unchanged settings keep version and text, changed ones get a higher version": async (t, store) => {
    await apply(t, store, twoServices());
    const again = twoServices();
    const resealed = {
      ...again,
      services: again.services.map((service) => ({ ...service, settings: `${service.settings}, sealed anew` })),
    };
    await apply(t, store, resealed);
    t.deepEqual(await store.readService(1), { serviceId: 1, version: 1, settings: "service 1" });
    await apply(
      t,
      store,
      putConfiguration({ id: 1, settings: "other", clients: [{ id: 11 }, { id: 12, settings: "other" }] }),
    );
    t.deepEqual(await store.readService(1), { serviceId: 1, version: 2, settings: "other" });
    t.is((await store.readClient(1, { clientId: 11 }))?.version, 1);
    t.deepEqual(await store.readClient(1, { clientId: 12 }), {
      clientId: 12,
      version: 2,
      settings: "other",
      serviceVersion: 2,
    });
  },

  "a token outlives a change of settings and is read with the new versions": async (t, store) => {
    await apply(t, store, twoServices());
    const issued = issueTokens();
    const changed = putConfiguration({ id: 1, settings: "s", clients: [{ id: 11, settings: "c" }] });
    await apply(t, store, issued, changed);
    const token = await store.readAccessToken(1, issued.accessToken.digest);
    t.is(token?.serviceVersion, 2);
    t.is(token?.clientVersion, 2);
  },

  "tokens are issued only at the versions decided upon": async (t, store) => {
    await apply(t, store, twoServices());
    for (const decided of [
      { serviceVersion: 2 },
      { serviceVersion: 0 },
      { clientVersion: 2 },
      { clientId: 13 },
      { clientId: 21 },
      { serviceId: 3 },
      { serviceId: 2 },
    ]) {
      const issue = { ...issueGrant("grant"), ...decided };
      t.is(await store.run(issue), "conflict", JSON.stringify(decided));
      t.is(await store.readAccessToken(issue.serviceId, issue.accessToken.digest), undefined);
      t.is(await store.readRefreshToken(issue.serviceId, issue.refreshToken.digest), undefined);
    }
    await apply(t, store, issueGrant("grant"));
  },

  "issuing again under the same attempt is done once": async (t, store) => {
    await apply(t, store, twoServices());
    const issued = issueGrant("grant");
    await apply(t, store, issued, issued);
    t.is(await store.sweep(10_000, 10), 3, "one access token, one refresh token, one grant");
  },

  "the same attempt is done also after the versions moved on or the token ended": async (t, store) => {
    await apply(t, store, twoServices());
    const issued = issueTokens();
    await apply(t, store, issued, revoke(issued), putConfiguration({ id: 1, settings: "s", clients: [{ id: 11 }] }));
    await apply(t, store, issued);
    t.is(await store.readAccessToken(1, issued.accessToken.digest), undefined);
  },

  "a digest or a grant that is there already is a conflict, and nothing of the command is kept": async (t, store) => {
    await apply(t, store, twoServices());
    const issued = issueGrant("grant");
    await apply(t, store, issued);
    const fresh = issueGrant("other");
    for (const taken of [
      { ...fresh, accessToken: issued.accessToken },
      { ...fresh, refreshToken: issued.refreshToken },
      { ...fresh, grant: issued.grant },
    ]) {
      t.is(await store.run(taken), "conflict");
      t.is((await store.readAccessToken(1, fresh.accessToken.digest))?.grantId, undefined);
      t.is(await store.readRefreshToken(1, fresh.refreshToken.digest), undefined);
    }
    t.is((await store.readAccessToken(1, issued.accessToken.digest))?.grantId, "grant");
    await apply(t, store, fresh);
  },

  "a revoked token is unknown, its neighbours are not": async (t, store) => {
    await apply(t, store, twoServices());
    const [ended, kept] = [issueTokens(), issueTokens()];
    const revocation = revoke(ended);
    await apply(t, store, ended, kept, revocation, revocation);
    t.is(await store.readAccessToken(1, ended.accessToken.digest), undefined);
    t.truthy(await store.readAccessToken(1, kept.accessToken.digest));
    t.is(await store.run(revoke(ended)), "conflict");
    t.is(await store.run(revoke(issueTokens())), "conflict", "never issued");
  },

  "revoking a grant's access token leaves the grant": async (t, store) => {
    await apply(t, store, twoServices());
    const issued = issueGrant("grant");
    await apply(t, store, issued, revoke(issued));
    t.is(await store.readAccessToken(1, issued.accessToken.digest), undefined);
    t.truthy(await store.readRefreshToken(1, issued.refreshToken.digest));
  },

  "ending a grant ends its tokens and no others": async (t, store) => {
    await apply(t, store, twoServices());
    const [ended, kept, alone] = [issueGrant("ended"), issueGrant("kept"), issueTokens()];
    const end = endGrant("ended");
    await apply(t, store, ended, kept, alone, end, end);
    t.is(await store.readAccessToken(1, ended.accessToken.digest), undefined);
    t.is(await store.readRefreshToken(1, ended.refreshToken.digest), undefined);
    t.truthy(await store.readAccessToken(1, kept.accessToken.digest));
    t.truthy(await store.readRefreshToken(1, kept.refreshToken.digest));
    t.truthy(await store.readAccessToken(1, alone.accessToken.digest));
    t.is(await store.run(endGrant("ended")), "conflict");
    t.is(await store.run(endGrant("never")), "conflict");
    t.is(await store.run(revoke(ended)), "conflict", "not in force any more");
    t.is(await store.run(issueGrant("ended")), "conflict", "an ended grant does not begin again");
  },

  "a grant's id is its own service's": async (t, store) => {
    await apply(t, store, twoServices());
    const [first, second] = [issueGrant("grant"), issueGrant("grant", { serviceId: 2, clientId: 21 })];
    await apply(t, store, first, second, endGrant("grant", 2));
    t.truthy(await store.readAccessToken(1, first.accessToken.digest));
    t.is(await store.readAccessToken(2, second.accessToken.digest), undefined);
  },

  "deleting a client ends its tokens for good, also when its id comes back": async (t, store) => {
    await apply(t, store, twoServices());
    const [gone, stays] = [issueGrant("grant"), issueTokens({ clientId: 12 })];
    await apply(t, store, gone, stays, putConfiguration({ id: 1, clients: [{ id: 12 }] }));
    t.is(await store.readClient(1, { clientId: 11 }), undefined);
    t.is(await store.readClient(1, { clientIdAlias: "eleven" }), undefined);
    t.is(await store.readAccessToken(1, gone.accessToken.digest), undefined);
    t.is(await store.readRefreshToken(1, gone.refreshToken.digest), undefined);
    t.truthy(await store.readAccessToken(1, stays.accessToken.digest));
    t.is(await store.run(issueTokens()), "conflict");
    t.is(await store.run(revoke(gone)), "conflict");

    await apply(t, store, twoServices());
    const back = await store.readClient(1, { clientIdAlias: "eleven" });
    t.is(back?.settings, "client 11");
    t.true((back?.version ?? 0) > 1, "a version is never used twice");
    t.is(await store.readAccessToken(1, gone.accessToken.digest), undefined);
    t.is(await store.readRefreshToken(1, gone.refreshToken.digest), undefined);
    t.is(await store.run(issueTokens()), "conflict", "decided before the deletion");
    const fresh = issueGrant("fresh", { clientVersion: back?.version ?? 0 });
    await apply(t, store, fresh);
    t.truthy(await store.readAccessToken(1, fresh.accessToken.digest));
    t.truthy(await store.readRefreshToken(1, fresh.refreshToken.digest));
    t.truthy(await store.readAccessToken(1, stays.accessToken.digest));
  },

  "deleting a service ends all its tokens for good, also when its id comes back": async (t, store) => {
    await apply(t, store, twoServices());
    const [gone, stays] = [issueGrant("grant"), issueTokens({ serviceId: 2, clientId: 21 })];
    await apply(t, store, gone, stays, putConfiguration({ id: 2, clients: [{ id: 21 }] }));
    t.is(await store.readService(1), undefined);
    t.is(await store.readClient(1, { clientId: 11 }), undefined);
    t.is(await store.readAccessToken(1, gone.accessToken.digest), undefined);
    t.is(await store.readRefreshToken(1, gone.refreshToken.digest), undefined);
    t.truthy(await store.readAccessToken(2, stays.accessToken.digest));

    await apply(t, store, twoServices());
    const service = await store.readService(1);
    t.true((service?.version ?? 0) > 1);
    t.is(await store.readAccessToken(1, gone.accessToken.digest), undefined);
    t.is(await store.readRefreshToken(1, gone.refreshToken.digest), undefined);
    const client = await store.readClient(1, { clientId: 11 });
    const fresh = issueTokens({ serviceVersion: service?.version ?? 0, clientVersion: client?.version ?? 0 });
    await apply(t, store, fresh);
    t.truthy(await store.readAccessToken(1, fresh.accessToken.digest));
  },

  "an empty configuration deletes what was configured": async (t, store) => {
    await apply(t, store, twoServices(), putConfiguration());
    t.is(await store.readService(1), undefined);
    t.is(await store.readService(2), undefined);
    await apply(t, store, putConfiguration());
  },

  "a configuration may be put twice under one attempt": async (t, store) => {
    const command = twoServices();
    await apply(t, store, command, command);
    t.is((await store.readService(1))?.version, 1);
  },

  "aliases move from client to client, and one that is dropped is free": async (t, store) => {
    const aliased = (first?: string, second?: string) =>
      putConfiguration({
        id: 1,
        clients: [
          { id: 11, ...(first && { alias: first }) },
          { id: 12, ...(second && { alias: second }) },
        ],
      });
    const find = async (clientIdAlias: string) => (await store.readClient(1, { clientIdAlias }))?.clientId;
    await apply(t, store, aliased("a", "b"), aliased("b", "a"));
    t.is(await find("a"), 12);
    t.is(await find("b"), 11);
    await apply(t, store, aliased(undefined, "b"));
    t.is(await find("a"), undefined);
    t.is(await find("b"), 12);
    t.is(await store.run(aliased("same", "same")), "conflict", "one alias for two clients");
    t.is(await find("b"), 12);
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

  "a command that conflicts or fails takes none of its neighbours with it": async (t, store) => {
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

  "commands of one turn see each other in their order": async (t, store) => {
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

  "a failure says nothing of what was to be kept": async (t, store) => {
    await apply(t, store, twoServices());
    const secret = "Zm9vYmFyc2VjcmV0dG9rZW4";
    const issue = issueTokens({ subject: secret, accessToken: { digest: Buffer.from(secret), properties: secret } });
    const failure = await t.throwsAsync(store.run(issue), { instanceOf: StoreFailure });
    const told = `${String(failure)} ${failure.stack ?? ""} ${String(failure.cause)}`;
    t.false(told.includes(secret));
    t.false(told.includes(Buffer.from(secret).toString("hex")));
  },

  "closing does what was accepted, then refuses everything": async (t, store) => {
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
    await t.throwsAsync(store.countEnded(1, attempt(), 0), closedFailure);
    await t.throwsAsync(store.listAccessTokens(1, { status: "all", now: 0, start: 0, end: 10 }), closedFailure);
    await store.close();
  },
};

/** Services 1 and 2 as ever, but client 11 was made by something else than the configuration. */
const otherSourceChecks: Checks = {
  "a configuration that takes an id of another source conflicts and changes nothing": async (t, store) => {
    const command = putConfiguration({ id: 1, settings: "new", clients: [{ id: 12 }, { id: 11, settings: "mine" }] });
    t.is(await store.run(command), "conflict");
    t.is((await store.readService(1))?.version, 1);
    t.truthy(await store.readService(2));
    t.is((await store.readClient(1, { clientIdAlias: "eleven" }))?.settings, "client 11");
  },

  "a configuration that takes an alias of another source conflicts and changes nothing": async (t, store) => {
    t.is(await store.run(putConfiguration({ id: 1, clients: [{ id: 12, alias: "eleven" }] })), "conflict");
    t.is((await store.readClient(1, { clientIdAlias: "eleven" }))?.clientId, 11);
    t.truthy(await store.readService(2));
  },

  "a configuration leaves rows of another source as they are": async (t, store) => {
    const issued = issueTokens();
    await apply(t, store, issued, putConfiguration({ id: 1, clients: [{ id: 12 }] }));
    t.is((await store.readClient(1, { clientIdAlias: "eleven" }))?.version, 1);
    t.truthy(await store.readAccessToken(1, issued.accessToken.digest));
  },

  "a service that comes back finds its clients of another source, but none of their tokens": async (t, store) => {
    const issued = issueGrant("grant");
    await apply(t, store, issued, putConfiguration({ id: 2 }));
    t.is(await store.readClient(1, { clientId: 11 }), undefined);
    t.is(await store.readAccessToken(1, issued.accessToken.digest), undefined);
    await apply(t, store, putConfiguration({ id: 1 }, { id: 2 }));
    t.is((await store.readClient(1, { clientId: 11 }))?.version, 1);
    t.is(await store.readAccessToken(1, issued.accessToken.digest), undefined);
    t.is(await store.readRefreshToken(1, issued.refreshToken.digest), undefined);
  },
};
