import test from "ava";
import type { ExecutionContext } from "ava";
import { CallRefused } from "../../../../src/backend/engine/answer/result.ts";
import { StoreFailure } from "../../../../src/backend/store/store.ts";
import { tokenDigestText } from "../../../../src/oauth/token-digest.ts";
import { otherServiceId, startManagedTokens, thumbprint, type ManagedTokens } from "./managed-tokens.ts";
import { serviceId } from "../../../support/settings.ts";

async function create({ operations }: ManagedTokens, clientId = 1, subject = "user-1", service = serviceId) {
  const { accessToken = "", refreshToken = "" } = await operations(service).authTokenCreate({
    grantType: "AUTHORIZATION_CODE",
    clientId,
    subject,
    certificateThumbprint: thumbprint,
  });
  return { accessToken, refreshToken };
}

async function active({ facts }: ManagedTokens, ...tokens: readonly string[]): Promise<unknown[]> {
  return Promise.all(tokens.map(async (token) => (await facts(token))["active"]));
}

async function refusal(t: ExecutionContext, call: () => Promise<unknown>) {
  const error = await t.throwsAsync(call, { instanceOf: CallRefused });
  return [error.status, error.resultCode];
}

for (const [what, identify] of [
  ["its value", (token: string) => token],
  ["its hash", tokenDigestText],
] as const) {
  test(`an access token that is deleted by ${what} ends, and its grant's refresh token with it`, async (t) => {
    const managed = await startManagedTokens(t);
    const [deleted, other] = [await create(managed), await create(managed)];
    const accessTokenIdentifier = identify(deleted.accessToken);
    await managed.operations().authTokenDelete({ accessTokenIdentifier });
    t.deepEqual(await active(managed, deleted.accessToken, deleted.refreshToken), [false, false]);
    t.deepEqual(await active(managed, other.accessToken, other.refreshToken), [true, true]);
    const again = () => managed.operations().authTokenDelete({ accessTokenIdentifier });
    t.deepEqual(await refusal(t, again), [404, "A161202"]);
  });
}

test("a token that stands alone is deleted alone", async (t) => {
  const managed = await startManagedTokens(t);
  const alone = () => managed.operations().authTokenCreate({ grantType: "CLIENT_CREDENTIALS", clientId: 4 });
  const [{ accessToken = "" }, { accessToken: other = "" }] = [await alone(), await alone()];
  await managed.operations().authTokenDelete({ accessTokenIdentifier: accessToken });
  t.deepEqual(await active(managed, accessToken, other), [false, true]);
});

test("an unknown token cannot be deleted: 404 A161202; without a token: 400 A161201", async (t) => {
  const managed = await startManagedTokens(t);
  const { accessToken, refreshToken } = await create(managed);
  const written = managed.commands.length;
  for (const identifier of [
    "unknown",
    refreshToken,
    tokenDigestText(tokenDigestText(accessToken)),
    `${accessToken}=`,
  ]) {
    const call = () => managed.operations().authTokenDelete({ accessTokenIdentifier: identifier });
    t.deepEqual(await refusal(t, call), [404, "A161202"]);
  }
  const ofAnother = () => managed.operations(otherServiceId).authTokenDelete({ accessTokenIdentifier: accessToken });
  t.deepEqual(await refusal(t, ofAnother), [404, "A161202"]);
  const nothing = () => managed.operations().authTokenDelete({ accessTokenIdentifier: "" });
  t.deepEqual(await refusal(t, nothing), [400, "A161201"]);
  t.deepEqual(
    managed.commands.slice(written).map(({ name }) => name),
    Array.from({ length: 5 }, () => "invalidate-token"),
    "what is remembered of it ends",
  );
  t.deepEqual(await active(managed, accessToken, refreshToken), [true, true]);
});

test("all tokens of a client, of a user, or of both end in one call, and are counted: A312001", async (t) => {
  for (const [selector, ended] of [
    [{ clientIdentifier: "1" }, ["1a", "1b"]],
    [{ clientIdentifier: "four" }, ["4a"]],
    [{ subject: "a" }, ["1a", "4a"]],
    [{ clientIdentifier: "1", subject: "a" }, ["1a"]],
    [{ clientIdentifier: "4", subject: "b" }, []],
  ] as const) {
    const managed = await startManagedTokens(t);
    const tokens = {
      "1a": await create(managed, 1, "a"),
      "1b": await create(managed, 1, "b"),
      "4a": await create(managed, 4, "a"),
    };
    const ofAnother = await create(managed, 1, "a", otherServiceId);
    const answer = await managed.operations().authTokenRevoke(selector);
    t.deepEqual([answer.resultCode, answer.count], [ended.length === 0 ? "A313301" : "A312001", 2 * ended.length]);
    for (const [name, { accessToken, refreshToken }] of Object.entries(tokens)) {
      const stays = !(ended as readonly string[]).includes(name);
      t.deepEqual(await active(managed, accessToken, refreshToken), [stays, stays], name);
    }
    t.true((await managed.facts(ofAnother.accessToken, otherServiceId))["active"]);
    t.deepEqual((await managed.operations().authTokenRevoke(selector)).count, 0);
  }
});

test("a hundred tokens end in one call", async (t) => {
  const managed = await startManagedTokens(t);
  const created = await Promise.all(Array.from({ length: 50 }, () => create(managed)));
  t.is((await managed.operations().authTokenRevoke({ subject: "user-1" })).count, 100);
  t.deepEqual(new Set(await active(managed, ...created.map(({ accessToken }) => accessToken))), new Set([false]));
});

test("tokens that cannot be counted are revoked all the same, and the answer says they were not counted", async (t) => {
  const countTokens = () => Promise.reject(new StoreFailure("nothing was read: too many wait"));
  for (const by of ["subject", "accessTokenIdentifier"] as const) {
    const managed = await startManagedTokens(t, {}, { countTokens });
    const { accessToken, refreshToken } = await create(managed);
    const answer = await managed.operations().authTokenRevoke({ [by]: by === "subject" ? "user-1" : accessToken });
    t.like(answer, { resultCode: "A312001", count: 0, countIsLowerBound: true });
    t.deepEqual(await active(managed, accessToken, refreshToken), [false, false]);
  }
});

test("a count that reached its limit is marked as a lower bound", async (t) => {
  const managed = await startManagedTokens(
    t,
    {},
    {
      countTokens: (_, { most }) => Promise.resolve({ count: most, moreThanCounted: true }),
    },
  );
  const { accessToken } = await create(managed);
  t.like(await managed.operations().authTokenRevoke({ subject: "user-1" }), {
    resultCode: "A312001",
    count: 1_000,
    countIsLowerBound: true,
  });
  t.deepEqual(await active(managed, accessToken), [false]);
});

test("a token names its grant, by its value or its hash", async (t) => {
  const managed = await startManagedTokens(t);
  for (const identify of [(token: string) => token, tokenDigestText]) {
    for (const member of ["accessToken", "refreshToken"] as const) {
      const [revoked, other] = [await create(managed), await create(managed)];
      const answer = await managed.operations().authTokenRevoke({ [`${member}Identifier`]: identify(revoked[member]) });
      t.like(answer, { resultCode: "A312001", count: 2 });
      t.deepEqual(await active(managed, revoked.accessToken, revoked.refreshToken, other.accessToken), [
        false,
        false,
        true,
      ]);
    }
  }
});

test("each kind of selector revokes the tokens it selects", async (t) => {
  const managed = await startManagedTokens(t);
  const [one, two, three] = [await create(managed, 1), await create(managed, 1), await create(managed, 4, "b")];
  const answer = await managed.operations().authTokenRevoke({
    accessTokenIdentifier: one.accessToken,
    refreshTokenIdentifier: two.refreshToken,
    subject: "b",
  });
  t.is(answer.count, 6);
  t.deepEqual(await active(managed, one.accessToken, two.accessToken, three.accessToken), [false, false, false]);
});

test("an unknown token or client: A313301, and an unknown client does not stand for every client", async (t) => {
  const managed = await startManagedTokens(t);
  const { accessToken, refreshToken } = await create(managed);
  const written = managed.commands.length;
  for (const selector of [
    { accessTokenIdentifier: "unknown" },
    { accessTokenIdentifier: refreshToken },
    { refreshTokenIdentifier: accessToken },
    { clientIdentifier: "9" },
    { clientIdentifier: "nine", subject: "user-1" },
  ]) {
    const answer = await managed.operations().authTokenRevoke(selector);
    t.deepEqual(answer, { resultCode: "A313301", resultMessage: "[A313301] No token matches the request.", count: 0 });
  }
  t.deepEqual(
    managed.commands.slice(written).map(({ name }) => name),
    Array.from({ length: 3 }, () => "invalidate-token"),
    "what is remembered of tokens that were named ends",
  );
  t.is((await managed.operations(otherServiceId).authTokenRevoke({ accessTokenIdentifier: accessToken })).count, 0);
  t.deepEqual(await active(managed, accessToken, refreshToken), [true, true]);
});

test("a request that names nothing: 400 A312201, and nothing ends", async (t) => {
  const managed = await startManagedTokens(t);
  const { accessToken } = await create(managed);
  for (const selector of [{}, { clientIdentifier: "", subject: null, accessTokenIdentifier: "" }]) {
    t.deepEqual(await refusal(t, () => managed.operations().authTokenRevoke(selector)), [400, "A312201"]);
  }
  t.deepEqual(await active(managed, accessToken), [true]);
});
