import { endGrant, issueGrant, issueTokens, putConfiguration, revoke, twoServices } from "../commands.ts";
import { apply, type Checks } from "./check.ts";

/** Access tokens, refresh tokens and the grants that they belong to. */
export const tokenChecks: Checks = {
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
        properties: [{ key: "k", value: "v" }],
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

  "an access token is no refresh token, and the reverse": async (t, store) => {
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

  "an existing digest or grant is a conflict, and nothing is written": async (t, store) => {
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
};
