import { issueGrant, issueTokens, putConfiguration, revoke, twoServices } from "../commands.ts";
import { apply, type Checks } from "./check.ts";

/** Services and clients, and what the tokens are worth when they change. */
export const configurationChecks: Checks = {
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

  "an empty configuration deletes all configured services": async (t, store) => {
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
};

/** Services 1 and 2 as ever, but client 11 was made by something else than the configuration. */
export const otherSourceChecks: Checks = {
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
