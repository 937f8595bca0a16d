import type { Command } from "../../../../src/backend/store/command.ts";
import {
  attempt,
  consumeTicket,
  digest,
  exchange,
  issueCode,
  issueForTicket,
  keepTicket,
  putConfiguration,
  revokeTokens,
  twoServices,
  updateTicket,
  useAssertion,
} from "../commands.ts";
import { anew, apply, type Checks } from "./check.ts";

/** What no command rests on any more when the service or the client has moved on, or is another. */
const otherVersions = [
  { serviceVersion: 2 },
  { clientVersion: 2 },
  { serviceVersion: 0 },
  { clientVersion: 0 },
  { clientId: 12 },
  { clientId: 13 },
  { serviceId: 2, clientId: 21 },
  { serviceId: 3 },
];

const withoutEleven = () => putConfiguration({ id: 1, clients: [{ id: 12 }] }, { id: 2, clients: [{ id: 21 }] });

/** Tickets, authorization codes and assertions. */
export const ticketChecks: Checks = {
  "every member of a ticket is read back": async (t, store) => {
    for (const context of [undefined, "", "ünï\u0000code"]) {
      for (const kind of ["authorization", "password"] as const) {
        const keep = keepTicket({ context, kind, expiresAt: Number.MAX_SAFE_INTEGER });
        await apply(t, store, keep);
        t.deepEqual(await store.readTicket(1, keep.ticket.digest), {
          ...keep.ticket,
          clientId: 11,
          consumed: false,
          clientVersion: 1,
          serviceVersion: 1,
        });
      }
    }
  },

  "every member of a code is read back": async (t, store) => {
    for (const changes of [
      { redirectUri: "https://client.example/cb?a=b", codeChallenge: "E9Mel", scopes: ["a", "b"], resources: ["r s"] },
      { redirectUri: undefined, codeChallenge: undefined, scopes: [], resources: [], details: "{}" },
    ]) {
      const keep = keepTicket();
      const issue = issueCode(keep, changes);
      await apply(t, store, keep, issue);
      t.deepEqual(await store.readCode(1, issue.code.digest), {
        ...issue.code,
        clientId: 11,
        createdAt: 1_600,
        consumed: false,
        clientVersion: 1,
        serviceVersion: 1,
      });
    }
  },

  "a ticket is kept, and a code issued, only at the versions decided upon": async (t, store) => {
    const keep = keepTicket();
    for (const owners of otherVersions.filter((owners) => !("clientId" in owners) || owners.clientId === 13)) {
      t.is(await store.run({ ...keep, ...owners }), "conflict", JSON.stringify(owners));
    }
    t.is(await store.readTicket(1, keep.ticket.digest), undefined);
    await apply(t, store, keep);
    const issue = issueCode(keep);
    for (const owners of otherVersions) {
      t.is(await store.run({ ...issue, ...owners }), "conflict", JSON.stringify(owners));
    }
    t.is(await store.readCode(1, issue.code.digest), undefined);
    t.false((await store.readTicket(1, keep.ticket.digest))?.consumed);
    await apply(t, store, issue);
  },

  "a ticket and a code are their own service's": async (t, store) => {
    const keep = keepTicket();
    await apply(t, store, keep);
    t.is(await store.readTicket(2, keep.ticket.digest), undefined);
    t.is(await store.run({ ...updateTicket(keep), serviceId: 2 }), "conflict");
    t.is(await store.run({ ...consumeTicket(keep), serviceId: 2 }), "conflict");
    const issue = issueCode(keep);
    await apply(t, store, issue);
    t.is(await store.readCode(2, issue.code.digest), undefined);
    t.is(await store.run({ ...exchange(issue), serviceId: 2, clientId: 21 }), "conflict");
  },

  "a ticket, a code and a token are never mistaken for each other": async (t, store) => {
    const keep = keepTicket();
    const issue = issueCode(keep);
    await apply(t, store, keep, issue);
    t.is(await store.readCode(1, keep.ticket.digest), undefined);
    t.is(await store.readTicket(1, issue.code.digest), undefined);
    t.is(await store.readAccessToken(1, issue.code.digest), undefined);
    t.is(await store.readRefreshToken(1, issue.code.digest), undefined);
  },

  "the text of a ticket changes until it is consumed, once per attempt": async (t, store) => {
    const keep = keepTicket({ context: "old" });
    const [first, second] = [updateTicket(keep, "first"), updateTicket(keep, "second")];
    await apply(t, store, keep, first, second, first);
    t.is((await store.readTicket(1, keep.ticket.digest))?.context, "first", "the last to be run, again");
    await apply(t, store, first);
    await apply(t, store, consumeTicket(keep), first);
    t.is(await store.run(updateTicket(keep)), "conflict");
    t.is(await store.run(updateTicket(keepTicket())), "conflict", "never kept");
    t.is((await store.readTicket(1, keep.ticket.digest))?.context, "first");
  },

  "a ticket is consumed once, by whichever command comes first": async (t, store) => {
    const makers: ((keep: ReturnType<typeof keepTicket>) => Command)[] = [consumeTicket, issueCode];
    for (const first of makers) {
      for (const second of makers) {
        const keep = keepTicket();
        await apply(t, store, keep);
        const consume = first(keep);
        await apply(t, store, consume, consume);
        t.true((await store.readTicket(1, keep.ticket.digest))?.consumed);
        const late = second(keep);
        t.is(await store.run(late), "conflict", `${consume.name}, then ${late.name}`);
        if (late.name === "issue-code") t.is(await store.readCode(1, late.code.digest), undefined);
        await apply(t, store, consume);
      }
    }
  },

  "a ticket of one kind cannot be used as the other kind": async (t, store) => {
    const [authorization, password] = [keepTicket(), keepTicket({ kind: "password" })];
    await apply(t, store, authorization, password);
    t.is(await store.run(issueCode(password)), "conflict");
    t.is(await store.run(issueForTicket(authorization)), "conflict");
    t.false((await store.readTicket(1, authorization.ticket.digest))?.consumed);
    t.false((await store.readTicket(1, password.ticket.digest))?.consumed);
    await apply(t, store, issueCode(authorization), issueForTicket(password));
  },

  "a ticket gives one set of tokens": async (t, store) => {
    const keep = keepTicket({ kind: "password" });
    const [issue, late] = [issueForTicket(keep), issueForTicket(keep, "other")];
    await apply(t, store, keep, issue, issue);
    t.is(await store.run(late), "conflict");
    t.is(await store.readAccessToken(1, late.accessToken.digest), undefined);
    t.is(await store.readRefreshToken(1, late.refreshToken.digest), undefined);
    t.is((await store.readRefreshToken(1, issue.refreshToken.digest))?.grantId, "grant");
    t.true((await store.readTicket(1, keep.ticket.digest))?.consumed);
  },

  "an existing digest is a conflict and consumes nothing": async (t, store) => {
    const [first, second] = [keepTicket(), keepTicket()];
    const issue = issueCode(first);
    await apply(t, store, first, second, issue);
    t.is(await store.run(anew(first, attempt())), "conflict");
    t.is(await store.run(issueCode(second, { digest: issue.code.digest })), "conflict");
    t.false((await store.readTicket(1, second.ticket.digest))?.consumed);
  },

  "deleting a client ends its tickets and codes for good, also when its id comes back": async (t, store) => {
    const [open, used, password] = [keepTicket(), keepTicket(), keepTicket({ kind: "password" })];
    const code = issueCode(used);
    await apply(t, store, open, used, password, code, withoutEleven());
    const isVoid = async (clientVersion: number) => {
      t.is(await store.readTicket(1, open.ticket.digest), undefined);
      t.is(await store.readCode(1, code.code.digest), undefined);
      t.is(await store.run(updateTicket(open)), "conflict");
      t.is(await store.run(consumeTicket(open)), "conflict");
      for (const command of [issueCode(open), exchange(code), issueForTicket(password)]) {
        t.is(await store.run({ ...command, clientVersion }), "conflict");
      }
    };
    await isVoid(1);
    await apply(t, store, twoServices());
    await isVoid((await store.readClient(1, { clientId: 11 }))?.version ?? 0);
  },

  "a code outlives a change of settings, and is exchanged at the new versions only": async (t, store) => {
    const keep = keepTicket();
    const code = issueCode(keep);
    await apply(t, store, keep, code, putConfiguration({ id: 1, settings: "s", clients: [{ id: 11, settings: "c" }] }));
    const read = await store.readCode(1, code.code.digest);
    t.is(read?.serviceVersion, 2);
    t.is(read?.clientVersion, 2);
    t.is(await store.run(exchange(code)), "conflict");
    t.false((await store.readCode(1, code.code.digest))?.consumed);
    await apply(t, store, { ...exchange(code), serviceVersion: 2, clientVersion: 2 });
  },

  "a code gives one set of tokens, and its grant begins with its details": async (t, store) => {
    const keep = keepTicket();
    const code = issueCode(keep);
    const { grant, ...rest } = exchange(code, {
      accessToken: { grantType: "AUTHORIZATION_CODE", clientIdAliasUsed: true },
    });
    const [first, late] = [{ ...rest, grant: { grantId: grant.grantId } }, exchange(code)];
    await apply(t, store, keep, code, first, first);
    t.is(await store.run(late), "conflict");
    t.is(await store.readAccessToken(1, late.accessToken.digest), undefined);
    t.is(await store.readRefreshToken(1, late.refreshToken.digest), undefined);
    t.like(await store.readAccessToken(1, first.accessToken.digest), {
      grantId: code.code.grantId,
      details: '{"acr":"1"}',
      refreshTokenExpiresAt: 9_000,
    });
    t.like(await store.readRefreshToken(1, first.refreshToken.digest), {
      grantId: code.code.grantId,
      grantType: "AUTHORIZATION_CODE",
      clientIdAliasUsed: true,
      subject: "user",
      details: '{"acr":"1"}',
      consumption: undefined,
    });
    t.true((await store.readCode(1, code.code.digest))?.consumed);
  },

  "details of the command go before those of the code": async (t, store) => {
    const keep = keepTicket();
    const code = issueCode(keep);
    const issue = { ...exchange(code), grant: { grantId: code.code.grantId, details: '{"acr":"2"}' } };
    await apply(t, store, keep, code, issue);
    t.is((await store.readAccessToken(1, issue.accessToken.digest))?.details, '{"acr":"2"}');
  },

  "an exchange that cannot be stored leaves the code usable": async (t, store) => {
    const [keep, other] = [keepTicket(), keepTicket()];
    const [code, elsewhere] = [issueCode(keep), issueCode(other)];
    const taken = exchange(elsewhere, { accessToken: { jwtDigest: digest() } });
    await apply(t, store, keep, other, code, elsewhere, taken);
    const fresh = exchange(code);
    for (const [what, issue] of Object.entries<object>({
      "an access token that is there": { ...fresh, accessToken: taken.accessToken },
      "a JWT that is there": {
        ...fresh,
        accessToken: { ...fresh.accessToken, jwtDigest: taken.accessToken.jwtDigest },
      },
      "a refresh token that is there": { ...fresh, refreshToken: taken.refreshToken },
      "another code's grant": { ...fresh, grant: taken.grant },
      "a grant of its own": { ...fresh, grant: { grantId: "other" } },
      "no grant": { ...fresh, grant: undefined, refreshToken: undefined },
      "a code that is not known": { ...fresh, source: { ...fresh.source, digest: digest() } },
      ...Object.fromEntries(otherVersions.map((owners) => [JSON.stringify(owners), { ...fresh, ...owners }])),
    })) {
      t.is(await store.run({ ...issue, attempt: attempt() } as Command), "conflict", what);
      t.false((await store.readCode(1, code.code.digest))?.consumed, what);
      t.is((await store.readAccessToken(1, fresh.accessToken.digest))?.grantId, undefined, what);
    }
    await apply(t, store, fresh);
  },

  "of fifty exchanges of one code exactly one is done": async (t, store) => {
    const keep = keepTicket();
    const code = issueCode(keep);
    await apply(t, store, keep, code);
    const exchanges = Array.from({ length: 50 }, () => exchange(code));
    const outcomes = await Promise.all(exchanges.map((command) => store.run(command)));
    t.is(outcomes.filter((outcome) => outcome === "done").length, 1);
    for (const [index, { accessToken, refreshToken }] of exchanges.entries()) {
      const kept = outcomes[index] === "done";
      t.is((await store.readAccessToken(1, accessToken.digest)) !== undefined, kept);
      t.is((await store.readRefreshToken(1, refreshToken.digest)) !== undefined, kept);
    }
  },

  "an assertion is used once by its client; another client may use the same id": async (t, store) => {
    const use = useAssertion();
    await apply(t, store, use, use);
    t.is(await store.run(anew(use, attempt())), "conflict");
    await apply(t, store, useAssertion({ digest: use.digest, clientId: 12 }));
    await apply(t, store, useAssertion({ digest: use.digest, serviceId: 2 }), useAssertion());
    t.is(await store.run(anew(use, attempt())), "conflict");
    await apply(t, store, use);
  },

  "the sweep deletes expired tickets, codes and assertions, a used code with its grant": async (t, store) => {
    const tickets = [keepTicket({ expiresAt: 1_999 }), keepTicket({ expiresAt: 2_000 })];
    const [usable, spent] = [keepTicket(), keepTicket()];
    const [early, code] = [issueCode(usable, { expiresAt: 1_999 }), issueCode(spent, { expiresAt: 1_999 })];
    const tokens = exchange(code);
    const uses = [useAssertion({ expiresAt: 1_999 }), useAssertion({ expiresAt: 2_000 })];
    await apply(t, store, ...tickets, usable, spent, early, code, tokens, ...uses);
    t.is(await store.sweep(2_000, 10), 3, "a ticket, a code that was not used, an assertion");
    t.is(await store.sweep(2_000, 10), 0);
    t.deepEqual(
      await Promise.all(tickets.map(async ({ ticket }) => (await store.readTicket(1, ticket.digest)) !== undefined)),
      [false, true],
    );
    t.is(await store.readCode(1, early.code.digest), undefined);
    t.true((await store.readCode(1, code.code.digest))?.consumed, "a replay is still to be told");
    t.is(await store.run(anew(exchange(code), attempt())), "conflict");
    t.deepEqual(
      [
        await store.run(useAssertion({ ...uses[0], attempt: attempt() })),
        await store.run(useAssertion({ ...uses[1], attempt: attempt() })),
      ],
      ["done", "conflict"],
    );
    t.is(await store.sweep(8_999, 100), 6, "three tickets, the access token, two assertions");
    t.true((await store.readCode(1, code.code.digest))?.consumed);
    t.is(await store.sweep(9_001, 100), 3, "refresh token, grant and code");
    t.is(await store.readCode(1, code.code.digest), undefined);
  },

  "revoking tokens deletes the pending codes of those named only; tickets stay": async (t, store) => {
    for (const revocation of [
      revokeTokens({ clientId: 11 }),
      revokeTokens({ subject: "ada" }),
      revokeTokens({ clientId: 11, subject: "ada" }),
    ]) {
      const [open, ofAda, ofBob, ofOther] = [
        keepTicket(),
        keepTicket(),
        keepTicket(),
        keepTicket({}, { serviceId: 2, clientId: 21 }),
      ];
      const [code, bobs, other] = [
        issueCode(ofAda, { subject: "ada" }),
        issueCode(ofBob, { subject: "bob" }),
        issueCode(ofOther, { subject: "ada" }),
      ];
      await apply(t, store, open, ofAda, ofBob, ofOther, code, bobs, other, revocation, consumeTicket(open));
      t.is(await store.readCode(1, code.code.digest), undefined);
      t.is(await store.run(exchange(code)), "conflict");
      t.is((await store.readCode(1, bobs.code.digest)) === undefined, revocation.subject === undefined);
      await apply(t, store, exchange(other));
    }
  },

  "a used code is known after tokens were revoked: its replay is still one": async (t, store) => {
    const ticket = keepTicket();
    const code = issueCode(ticket);
    await apply(t, store, ticket, code, exchange(code), revokeTokens({ clientId: 11 }));
    t.true((await store.readCode(1, code.code.digest))?.consumed);
  },
};
