import test from "ava";
import { CallRefused } from "../../../../src/backend/engine/answer/result.ts";
import { formatListCursor, readListCursor } from "../../../../src/backend/engine/token-management/list-tokens.ts";
import { tokenListRequest } from "../../../../src/contract/auth-token-get-list.ts";
import { tokenDigestText } from "../../../../src/oauth/token-digest.ts";
import { startInstant } from "../../../support/engine.ts";
import { type ManagedTokens, otherServiceId, startManagedTokens, thumbprint } from "./managed-tokens.ts";
import { serviceId } from "../../../support/settings.ts";

interface Wanted {
  readonly clientId?: number;
  readonly subject?: string;
  readonly accessTokenDuration?: number;
  readonly certificateThumbprint?: string | null;
}

async function create({ operations }: ManagedTokens, wanted: Wanted = {}, service = serviceId) {
  return operations(service).authTokenCreate({
    grantType: "AUTHORIZATION_CODE",
    clientId: 1,
    subject: "a",
    certificateThumbprint: thumbprint,
    ...wanted,
  });
}

async function hashes({ operations }: ManagedTokens, query: object): Promise<string[]> {
  const { accessTokens } = await operations().authTokenGetList(query);
  return accessTokens.map(({ accessTokenHash }) => accessTokenHash);
}

test("an entry has everything of a token but the token", async (t) => {
  const managed = await startManagedTokens(t);
  const { accessToken = "", refreshToken = "" } = await managed.operations().authTokenCreate({
    grantType: "AUTHORIZATION_CODE",
    clientId: 4,
    subject: "a",
    scopes: ["read"],
    properties: [{ key: "k", value: "v", hidden: true }],
  });
  const second = Math.floor(startInstant / 1000);
  t.deepEqual(await managed.operations().authTokenGetList({ clientIdentifier: "four", subject: "a" }), {
    start: 0,
    end: 5,
    totalCount: 1,
    client: {
      clientId: 4,
      clientIdAlias: "four",
      clientIdAliasEnabled: true,
      clientName: "The fourth",
      clientType: "CONFIDENTIAL",
    },
    subject: "a",
    accessTokens: [
      {
        accessTokenHash: tokenDigestText(accessToken),
        clientId: 4,
        subject: "a",
        grantType: "AUTHORIZATION_CODE",
        scopes: ["read"],
        accessTokenExpiresAt: (second + 3600) * 1000,
        refreshTokenHash: tokenDigestText(refreshToken),
        refreshTokenScopes: ["read"],
        refreshTokenExpiresAt: (second + 864_000) * 1000,
        createdAt: startInstant,
        lastRefreshedAt: 0,
        properties: [{ key: "k", value: "v", hidden: true }],
      },
    ],
  });
});

test("only tokens of this service are listed, of the client and the user that were named", async (t) => {
  const managed = await startManagedTokens(t);
  const made: Record<string, string> = {};
  for (const [name, clientId, subject] of [
    ["1a", 1, "a"],
    ["1b", 1, "b"],
    ["4a", 4, "a"],
  ] as const) {
    made[name] = tokenDigestText((await create(managed, { clientId, subject })).accessToken ?? "");
    managed.setClock(startInstant + Object.keys(made).length);
  }
  await create(managed, {}, otherServiceId);
  const named = (...names: string[]) => names.map((name) => made[name]);
  t.deepEqual(await hashes(managed, {}), named("1a", "1b", "4a"));
  t.deepEqual(await hashes(managed, { clientIdentifier: "1" }), named("1a", "1b"));
  t.deepEqual(await hashes(managed, { subject: "a" }), named("1a", "4a"));
  t.deepEqual(await hashes(managed, { clientIdentifier: "4", subject: "b" }), []);
  t.deepEqual(await hashes(managed, { start: 1, end: 2 }), named("1b"));
  t.deepEqual(await hashes(managed, { start: 2 }), named("4a"));
  t.deepEqual(await hashes(managed, { start: 0, end: 0 }), []);
  t.like(await managed.operations().authTokenGetList({ start: 2, end: 1002 }), { start: 2, end: 1002, totalCount: 3 });
});

test("expired tokens are INVALID, revoked ones are not listed", async (t) => {
  const managed = await startManagedTokens(t);
  const short = tokenDigestText((await create(managed, { accessTokenDuration: 1 })).accessToken ?? "");
  const long = tokenDigestText((await create(managed)).accessToken ?? "");
  const { accessToken: ended = "" } = await create(managed);
  await managed.operations().authTokenDelete({ accessTokenIdentifier: ended });
  managed.setClock(startInstant + 2000);
  t.deepEqual(await hashes(managed, { tokenStatus: "VALID" }), [long]);
  t.deepEqual(await hashes(managed, { tokenStatus: "INVALID" }), [short]);
  for (const tokenStatus of ["ALL", "", null, undefined]) {
    t.deepEqual((await hashes(managed, { tokenStatus })).sort(), [short, long].sort());
  }
});

for (const [what, query, status, code] of [
  ["a negative start", { start: -1 }, 400, "A159202"],
  ["a negative end", { end: -1 }, 400, "A159204"],
  ["an end before its start", { start: 3, end: 2 }, 400, "A159204"],
  ["1001 tokens", { start: 1, end: 1002 }, 400, "A159205"],
  ["what is beyond the first 10,000", { start: 9_999, end: 10_001 }, 400, "A159205"],
  ["what begins beyond the first 10,000", { start: 10_001 }, 400, "A159205"],
  ["what begins at the end of all numbers", { start: Number.MAX_SAFE_INTEGER }, 400, "A159205"],
  ["the tokens of an unknown client", { clientIdentifier: "9" }, 404, "A001212"],
  ["the tokens of an alias that is not enabled", { clientIdentifier: "five" }, 404, "A001212"],
  ["the tokens of an unknown alias", { clientIdentifier: "nine" }, 404, "A001212"],
] as const) {
  test(`a list of ${what} is refused: ${status} ${code}`, async (t) => {
    const { operations } = await startManagedTokens(t);
    const error = await t.throwsAsync(() => operations().authTokenGetList(query), { instanceOf: CallRefused });
    t.deepEqual([error.status, error.resultCode], [status, code]);
  });
}

test("the last slice by numbers ends at 10,000", async (t) => {
  const managed = await startManagedTokens(t);
  await create(managed);
  for (const [query, start, end] of [
    [{ start: 9_998 }, 9_998, 10_000],
    [{ start: 10_000 }, 10_000, 10_000],
    [{ start: 9_000, end: 10_000 }, 9_000, 10_000],
  ] as const) {
    const answer = await managed.operations().authTokenGetList(query);
    t.deepEqual(answer, { start, end, totalCount: 1, accessTokens: [] });
  }
});

test("pages that follow each other by `next` are the whole list, and each has the count", async (t) => {
  const managed = await startManagedTokens(t);
  for (let made = 0; made < 5; made++) {
    await create(managed, { clientId: made % 2 === 0 ? 1 : 4 });
    managed.setClock(startInstant + made);
  }
  for (const query of [
    {},
    { subject: "a" },
    { clientIdentifier: "1" },
    { clientIdentifier: "1", tokenStatus: "VALID" as const },
  ]) {
    const whole = await managed.operations().authTokenGetList(query);
    t.false("next" in whole);
    const paged: string[] = [];
    let after: string | undefined;
    do {
      const page = await managed.operations().authTokenGetList({ ...query, end: 2, after });
      t.is(page.totalCount, whole.totalCount);
      t.true(page.accessTokens.length <= 2);
      paged.push(...page.accessTokens.map(({ accessTokenHash }) => accessTokenHash));
      after = page.next;
    } while (after !== undefined);
    t.deepEqual(
      paged,
      whole.accessTokens.map(({ accessTokenHash }) => accessTokenHash),
    );
  }
});

test("a bound token is listed with the thumbprint of its certificate, another without", async (t) => {
  const managed = await startManagedTokens(t);
  await create(managed);
  await create(managed, { clientId: 4, certificateThumbprint: null });
  const { accessTokens } = await managed.operations().authTokenGetList({});
  t.deepEqual(accessTokens.map(({ clientId, certificateThumbprint }) => [clientId, certificateThumbprint]).toSorted(), [
    [1, thumbprint],
    [4, undefined],
  ]);
});

const position = { expiresAt: 253_402_300_799_999, createdAt: 0, digest: new Uint8Array(32).fill(7) };

test("a cursor is read back exactly, and takes 59 of the characters that the contract allows", (t) => {
  for (const one of [position, { ...position, expiresAt: 1, createdAt: 2 ** 48 - 1 }]) {
    const text = formatListCursor(one);
    t.deepEqual(readListCursor(text), one);
    t.true(tokenListRequest.safeParse({ after: text }).success);
  }
  t.is(readListCursor(""), undefined);
});

test("the contract refuses as a cursor whatever no answer has given", (t) => {
  const text = formatListCursor(position);
  for (const after of [
    "x",
    text.slice(1),
    `${text}A`,
    `${text.slice(0, -1)}B`,
    `${text.slice(0, -1)}=`,
    ` ${text}`,
    1,
  ]) {
    t.false(tokenListRequest.safeParse({ after }).success, String(after));
  }
  for (const after of ["", null, undefined]) t.true(tokenListRequest.safeParse({ after }).success);
});
