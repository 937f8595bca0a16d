import { randomBytes } from "node:crypto";
import test from "ava";
import { openSealedAnswer, sealAnswer } from "../../../../src/backend/engine/token/sealed-answer.ts";
import type { Store } from "../../../../src/backend/store/store.ts";
import { tokenDigest } from "../../../../src/oauth/token-digest.ts";
import { errorOf, grantsServices, k1, k2, openGrants, startInstant } from "../../../support/grants.ts";
import { secretOf } from "../../../support/settings.ts";

const window = 30_000;

/** Counts what is written. */
function counting() {
  const written: string[] = [];
  const around = (store: Store): Partial<Store> => ({
    run: (command) => {
      written.push(command.name);
      return store.run(command);
    },
  });
  return { written, around };
}

test("within 30 s, until the successor is used, the same request gets the same bytes without a write", async (t) => {
  const { written, around } = counting();
  const { begin, refresh, setClock } = await openGrants(t, {}, [], { around });
  const { refreshToken } = await begin();
  const first = await refresh(refreshToken, { scope: "read" });
  t.is(first.previousRefreshTokenUsed, undefined);
  const before = written.length;
  for (const after of [0, 1, window - 1]) {
    setClock(startInstant + after);
    const again = await refresh(refreshToken, { scope: "read" });
    t.is(again.responseContent, first.responseContent);
    t.deepEqual(again, { ...first, previousRefreshTokenUsed: true });
  }
  t.is(written.length, before);
});

test("9700-4.14-a: a refresh token used after its successor: invalid_grant, and the family is revoked", async (t) => {
  const { begin, refresh, isActive } = await openGrants(t);
  const begun = await begin();
  const other = await begin();
  const second = await refresh(begun.refreshToken);
  const third = await refresh(second.refreshToken);
  t.true(await isActive(third.refreshToken));
  const reused = await refresh(begun.refreshToken);
  t.is(reused.resultCode, "A053305");
  t.is(errorOf(reused), "invalid_grant");
  t.is(reused.accessToken, undefined);
  const family = [begun, second, third].flatMap(({ accessToken, refreshToken }) => [accessToken, refreshToken]);
  for (const token of family) t.false(await isActive(token));
  t.is(errorOf(await refresh(third.refreshToken)), "invalid_grant");
  t.true(await isActive(other.accessToken));
  t.true(await isActive(other.refreshToken));
});

test("used again after 30 s the family ends, though the successor was never used", async (t) => {
  const { begin, refresh, isActive, setClock } = await openGrants(t);
  const begun = await begin();
  const second = await refresh(begun.refreshToken);
  setClock(startInstant + window);
  t.is((await refresh(begun.refreshToken)).resultCode, "A053305");
  for (const token of [begun.accessToken, second.accessToken, second.refreshToken]) t.false(await isActive(token));
});

test("a clock set back by less than 30 s changes nothing; by more, it does not keep the window open", async (t) => {
  const { begin, refresh, isActive, setClock } = await openGrants(t);
  const begun = await begin();
  const second = await refresh(begun.refreshToken);
  setClock(startInstant - window + 1);
  t.is((await refresh(begun.refreshToken)).responseContent, second.responseContent);
  setClock(startInstant - window);
  t.is((await refresh(begun.refreshToken)).resultCode, "A053305");
  t.false(await isActive(second.refreshToken));
});

test("an unreadable certificate and no certificate are different requests", async (t) => {
  const { begin, refresh, isActive } = await openGrants(t, { tlsClientCertificateBoundAccessTokens: false });
  const { refreshToken } = await begin({}, { as: undefined });
  const second = await refresh(refreshToken, {}, { as: undefined });
  const unreadable = await refresh(refreshToken, {}, { clientCertificate: "x" });
  t.is(unreadable.resultCode, "A053305");
  t.is(unreadable.accessToken, undefined);
  t.true(await isActive(second.refreshToken));
});

test("a successor that is kept counts as used too", async (t) => {
  const grants = await openGrants(t);
  const begun = await grants.begin();
  const second = await grants.refresh(begun.refreshToken);
  await grants.configure(grantsServices({ refreshTokenKept: true }));
  t.is((await grants.refresh(second.refreshToken)).refreshToken, second.refreshToken);
  t.is(errorOf(await grants.refresh(begun.refreshToken)), "invalid_grant");
  t.false(await grants.isActive(second.refreshToken));
});

test("another question in that time gets no token and ends nothing; the same one still has its answer", async (t) => {
  const { begin, refresh, isActive } = await openGrants(t);
  const { refreshToken } = await begin({ resources: ["https://a.example.com"] });
  const first = await refresh(refreshToken);
  for (const [form, asking] of [
    [{ scope: "read" }, {}],
    [{ scope: "read write" }, {}],
    [{ resource: "https://a.example.com" }, {}],
    [{}, { as: k2 }],
    [{}, { as: undefined }],
    [{}, { clientCertificate: "x" }],
  ] as const) {
    const answer = await refresh(refreshToken, form, asking);
    t.is(answer.resultCode, "A053305");
    t.is(errorOf(answer), "invalid_grant");
    t.is(answer.accessToken, undefined);
  }
  t.true(await isActive(first.accessToken));
  t.is((await refresh(refreshToken)).responseContent, first.responseContent);
});

test("the causes of A053305 read alike to the client, and differ for the API caller", async (t) => {
  const { begin, refresh } = await openGrants(t);
  const { refreshToken } = await begin();
  const second = await refresh(refreshToken);
  const answers = [await refresh("x".repeat(43)), await refresh(refreshToken, {}, { as: k2 })];
  await refresh(second.refreshToken);
  answers.push(await refresh(refreshToken));
  t.is(new Set(answers.map(({ responseContent }) => responseContent)).size, 1);
  t.is(new Set(answers.map(({ resultMessage }) => resultMessage)).size, 3);
});

test("a client that fails to authenticate, and another one, get no answer again and end nothing", async (t) => {
  const { begin, refresh, isActive, setClock } = await openGrants(t);
  const { refreshToken } = await begin();
  const second = await refresh(refreshToken);
  for (const after of [0, window]) {
    setClock(startInstant + after);
    t.is((await refresh(refreshToken, {}, { clientSecret: "wrong" })).resultCode, "A157305");
    t.is((await refresh(refreshToken, {}, { client: 2 })).resultCode, "A053307");
  }
  t.true(await isActive(second.refreshToken));
});

test("a public client's used refresh token revokes nothing without its certificate, also after 30 s", async (t) => {
  const { begin, refresh, isActive, setClock } = await openGrants(t);
  const { refreshToken } = await begin({}, { client: 3, as: k1 });
  const second = await refresh(refreshToken, {}, { client: 3, as: k1 });
  setClock(startInstant + window);
  t.is((await refresh(refreshToken, {}, { client: 3, as: k2 })).resultCode, "A053313");
  t.is((await refresh(refreshToken, {}, { client: 3, as: undefined })).resultCode, "A053312");
  t.true(await isActive(second.refreshToken));
  t.is((await refresh(refreshToken, {}, { client: 3, as: k1 })).resultCode, "A053305");
  t.false(await isActive(second.refreshToken));
});

test("the store has only sealed data of a refresh: no token, old or new, can be read there", async (t) => {
  const sealed: Uint8Array[] = [];
  const around = (store: Store): Partial<Store> => ({
    run: (command) => {
      if (command.name === "issue-tokens" && command.source?.kind === "refresh-token") {
        sealed.push(command.source.sealedAnswer);
      }
      return store.run(command);
    },
  });
  const { begin, refresh } = await openGrants(t, {}, [], { around });
  const { refreshToken } = await begin();
  const { accessToken = "", refreshToken: successor = "" } = await refresh(refreshToken, {}, { as: k1 });
  t.is(sealed.length, 1);
  for (const text of [refreshToken, accessToken, successor, "user-1"]) {
    t.false(Buffer.from(sealed[0] ?? []).includes(text));
  }
});

test("a refresh token that was revoked, used or not, ends its family and no other", async (t) => {
  const { begin, refresh, isActive, operations } = await openGrants(t);
  const revoke = (token: string) => {
    return operations().authRevocation({ parameters: `token=${token}`, clientId: "1", clientSecret: secretOf(1) });
  };
  const other = await begin();
  for (const used of [false, true]) {
    const begun = await begin();
    const second = used ? await refresh(begun.refreshToken) : undefined;
    t.is((await revoke(begun.refreshToken)).resultCode, "A113001");
    for (const token of [begun.accessToken, begun.refreshToken, second?.accessToken, second?.refreshToken]) {
      t.false(await isActive(token ?? begun.accessToken));
    }
    t.is((await refresh(second?.refreshToken ?? begun.refreshToken)).resultCode, "A053305");
  }
  t.true(await isActive(other.accessToken));
  t.true(await isActive(other.refreshToken));
});

const token = randomBytes(32).toString("base64url");
const question = { x5tS256: "thumbprint", scope: "read write", resources: ["https://a.example.com"] };
const response = {
  resultCode: "A053001",
  resultMessage: "[A053001] é",
  action: "OK",
  accessToken: "the new one",
} as const;
const sealed = sealAnswer(token, question, response, randomBytes);

test("a sealed answer opens for the same token and question, whole", (t) => {
  t.deepEqual(openSealedAnswer(token, { ...question, resources: [...question.resources] }, sealed), response);
});

test("it opens for no other token, not even for the digest that the store has of this one", (t) => {
  const digest = tokenDigest(token);
  for (const other of [randomBytes(32).toString("base64url"), "", token.slice(1), `${token}=`]) {
    t.is(openSealedAnswer(other, question, sealed), undefined);
  }
  for (const encoding of ["base64url", "hex", "latin1"] as const) {
    t.is(openSealedAnswer(digest.toString(encoding), question, sealed), undefined);
  }
});

for (const [differs, other] of [
  ["without the certificate", { ...question, x5tS256: undefined }],
  ["with another certificate", { ...question, x5tS256: "another" }],
  ["without the scope", { ...question, scope: undefined }],
  ["with less scope", { ...question, scope: "read" }],
  ["with no resource", { ...question, resources: [] }],
  ["with one more resource", { ...question, resources: [...question.resources, "https://b.example.com"] }],
] as const) {
  test(`it does not answer the question ${differs}`, (t) => {
    t.is(openSealedAnswer(token, other, sealed), undefined);
  });
}

test("one bit changed anywhere, or anything cut off or added: it does not open, and does not throw", (t) => {
  for (let index = 0; index < sealed.length; index++) {
    const changed = Buffer.from(sealed);
    changed[index] = (changed[index] ?? 0) ^ 1;
    t.is(openSealedAnswer(token, question, changed), undefined);
    t.is(openSealedAnswer(token, question, sealed.subarray(0, index)), undefined);
  }
  t.is(openSealedAnswer(token, question, Buffer.concat([sealed, Buffer.alloc(1)])), undefined);
});

test("sealed twice it differs, and neither text shows anything of the answer", (t) => {
  const again = Buffer.from(sealAnswer(token, question, response, randomBytes));
  t.false(again.equals(sealed));
  for (const text of [response.accessToken, token, "A053001", "read write"]) {
    t.false(again.includes(text));
    t.false(Buffer.from(sealed).includes(text));
  }
});
