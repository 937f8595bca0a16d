import {
  endGrant,
  issueGrant,
  issueTokens,
  keepTicket,
  putConfiguration,
  revoke,
  revokeTokens,
  rotate,
  twoServices,
  type ConfiguredService,
} from "../commands.ts";
import { apply, type Checks } from "./check.ts";

/** The helper allows every removal; here none is, or these. */
const leaving = (
  services: readonly ConfiguredService[],
  mayRemove: ReturnType<typeof putConfiguration>["mayRemove"] = [],
) => ({ ...putConfiguration(...services), mayRemove });

const withoutEleven = [
  { id: 1, clients: [{ id: 12 }] },
  { id: 2, clients: [{ id: 21, alias: "eleven" }] },
];
const withoutOne = [{ id: 2, clients: [{ id: 21, alias: "eleven" }] }];

/** What may be removed with its tokens. Every store has had {@link twoServices}, which allows nothing itself. */
export const removalChecks: Checks = {
  "a client with a live token is not removed without permission; nothing is written": async (t, store) => {
    const [access, family] = [issueTokens(), issueGrant("grant")];
    for (const tokens of [access, family]) {
      await apply(t, store, tokens);
      const changed = [{ id: 1, settings: "other", clients: [{ id: 12 }, { id: 13 }] }];
      t.is(await store.run(leaving([...changed, ...withoutOne])), "conflict");
      t.is((await store.readService(1))?.settings, "service 1");
      t.is(await store.readClient(1, { clientId: 13 }), undefined);
      t.truthy(await store.readAccessToken(1, tokens.accessToken.digest));
      t.is((await store.readClient(1, { clientIdAlias: "eleven" }))?.clientId, 11);
      await apply(t, store, revoke(tokens), ...("grant" in tokens ? [endGrant("grant")] : []));
    }
    t.is(await store.run(leaving(withoutEleven)), "done", "every token has ended");
  },

  "a refresh token alone keeps its client": async (t, store) => {
    const family = issueGrant("grant");
    await apply(t, store, family, revoke(family));
    t.is(await store.run(leaving(withoutEleven)), "conflict");
  },

  "only the named removal is allowed": async (t, store) => {
    await apply(t, store, issueTokens(), issueTokens({ clientId: 12 }));
    const none = [{ id: 1 }, ...withoutOne];
    for (const mayRemove of [
      [],
      [{ serviceId: 1, clientId: 11 }],
      [{ serviceId: 2, clientId: 11 }, { serviceId: 2 }],
      // A service that stays does not stand for its clients.
      [{ serviceId: 1 }],
    ]) {
      t.is(await store.run(leaving(none, mayRemove)), "conflict", JSON.stringify(mayRemove));
    }
    t.is(
      await store.run(
        leaving(
          none,
          [11, 12].map((clientId) => ({ serviceId: 1, clientId })),
        ),
      ),
      "done",
    );
    t.is(await store.readClient(1, { clientId: 11 }), undefined);
  },

  "a service with live tokens is removed only if named, together with its clients": async (t, store) => {
    const issued = issueTokens({ clientId: 12 });
    await apply(t, store, issued);
    t.is(await store.run(leaving(withoutOne)), "conflict");
    t.is(await store.run(leaving(withoutOne, [{ serviceId: 1, clientId: 11 }])), "conflict");
    t.truthy(await store.readAccessToken(1, issued.accessToken.digest));
    t.is(await store.run(leaving(withoutOne, [{ serviceId: 1 }])), "done");
    t.is(await store.readService(1), undefined);
    t.is(await store.readAccessToken(1, issued.accessToken.digest), undefined);
  },

  "an id that moves to another service is a removal from the first": async (t, store) => {
    await apply(t, store, issueTokens());
    const moved = [
      { id: 1, clients: [{ id: 12 }] },
      { id: 2, clients: [{ id: 21 }, { id: 11 }] },
    ];
    t.is(await store.run(leaving(moved)), "conflict");
  },

  "tokens that have expired, were revoked, consumed or belong to others keep nothing": async (t, store) => {
    const family = issueGrant("grant");
    const rotated = rotate(family);
    await apply(t, store, family, rotated, issueGrant("other", { clientId: 12 }), issueGrant("more"), keepTicket());
    await apply(t, store, revokeTokens({ clientId: 11 }));
    await apply(t, store, issueTokens({ accessToken: { expiresAt: 1_500 } }));
    t.deepEqual(await store.readLiveTokens({ serviceId: 1, clientId: 11 }, 1_500), { count: 0, complete: true });
    t.is(await store.run(leaving(withoutEleven)), "done");
  },

  "live tokens are counted: of a client, and of a service": async (t, store) => {
    const family = issueGrant("grant");
    await apply(t, store, family, rotate(family), issueTokens(), issueTokens({ clientId: 12 }));
    await apply(t, store, issueTokens({ serviceId: 2, clientId: 21 }));
    const count = async (serviceId: number, clientId?: number, now = 1_500) =>
      (await store.readLiveTokens({ serviceId, ...(clientId !== undefined && { clientId }) }, now)).count;
    // Two access tokens of the grant, the refresh token that was not consumed, and one that stands alone.
    t.is(await count(1, 11), 4);
    t.is(await count(1, 12), 1);
    t.is(await count(1), 5);
    t.is(await count(2), 1);
    t.is(await count(3), 0);
    t.is(await count(1, 11, 5_000), 1, "access tokens expire at 5,000, the refresh token at 9,000");
    t.is(await count(1, 11, 9_000), 0);
    t.is(await count(1, 11, 4_999), 4);
  },

  "services and clients are listed in pages, with those that were deleted": async (t, store) => {
    await apply(t, store, putConfiguration({ id: 1, settings: "new", clients: [{ id: 11 }] }));
    const services = await store.readServicesAfter(-1, 10);
    t.deepEqual(
      services.map(({ serviceId, present, source, settings }) => [serviceId, present, source, settings]),
      [
        [1, true, "configuration", "new"],
        [2, false, "configuration", ""],
      ],
    );
    const listed: number[] = [];
    let last = { serviceId: -1, clientId: -1 };
    for (;;) {
      const [next, ...others] = await store.readClientsAfter(last, 1);
      t.is(others.length, 0);
      if (next === undefined) break;
      listed.push(next.clientId);
      last = next;
    }
    t.deepEqual(listed, [11, 12, 21]);
  },

  "a removal that runs twice under one attempt is done": async (t, store) => {
    await apply(t, store, issueTokens());
    const command = leaving(withoutEleven, [{ serviceId: 1, clientId: 11 }]);
    await apply(t, store, command, command);
    t.is(await store.run(leaving([{ id: 1, clients: [{ id: 12 }] }])), "done", "service 2 has no tokens");
    t.is(await store.run({ ...twoServices(), mayRemove: [] }), "done");
  },
};
