import test from "ava";
import type { TokenUpdateRequest } from "../../../../src/contract/auth-token-update.ts";
import { tokenDigestText } from "../../../../src/oauth/token-digest.ts";
import { startInstant } from "../../../support/engine.ts";
import {
  otherServiceId,
  otherThumbprint,
  startManagedTokens,
  thumbprint,
  type ManagedTokens,
} from "./managed-tokens.ts";

async function create({ operations }: ManagedTokens, more: { readonly clientId?: number } = {}) {
  const { accessToken = "", refreshToken = "" } = await operations().authTokenCreate({
    grantType: "AUTHORIZATION_CODE",
    clientId: 1,
    subject: "user-1",
    scopes: ["read", "write"],
    certificateThumbprint: thumbprint,
    ...more,
  });
  return { accessToken, refreshToken };
}

const hour = 3_600_000;

test("a change: A135001, OK, and introspection returns the new facts", async (t) => {
  const managed = await startManagedTokens(t);
  const { accessToken, refreshToken } = await create(managed);
  const answer = await managed.operations().authTokenUpdate({
    accessToken,
    scopes: ["read"],
    accessTokenExpiresAt: startInstant + hour / 2,
    refreshTokenExpiresAt: startInstant + 2 * hour,
    certificateThumbprint: otherThumbprint,
    properties: [{ key: "tier", value: "gold" }],
  });
  const expiresAt = Math.floor((startInstant + hour / 2) / 1000) * 1000;
  const refreshTokenExpiresAt = Math.floor((startInstant + 2 * hour) / 1000) * 1000;
  t.deepEqual(answer, {
    resultCode: "A135001",
    resultMessage: "[A135001] The access token was changed.",
    action: "OK",
    accessToken,
    tokenType: "Bearer",
    accessTokenExpiresAt: expiresAt,
    refreshTokenExpiresAt,
    scopes: ["read"],
    properties: [{ key: "tier", value: "gold" }],
  });
  t.like(await managed.facts(accessToken), {
    active: true,
    scope: "read",
    exp: expiresAt / 1000,
    cnf: { "x5t#S256": otherThumbprint },
    tier: "gold",
  });
  t.is((await managed.facts(refreshToken))["exp"], refreshTokenExpiresAt / 1000);
});

test("an absent member stays as it was", async (t) => {
  const managed = await startManagedTokens(t);
  const { accessToken } = await create(managed);
  const before = await managed.facts(accessToken);
  const nothing = { scopes: [], properties: null, accessTokenExpiresAt: 0, certificateThumbprint: "" };
  const written = managed.commands.length;
  t.is((await managed.operations().authTokenUpdate({ accessToken, ...nothing })).resultCode, "A135001");
  t.is(managed.commands.length, written);
  t.deepEqual(await managed.facts(accessToken), before);
  await managed.operations().authTokenUpdate({ accessToken, scopes: ["write"] });
  t.deepEqual(await managed.facts(accessToken), { ...before, scope: "write" });
});

test("a token is named by its value, by its hash, or by both", async (t) => {
  const managed = await startManagedTokens(t);
  const { accessToken } = await create(managed);
  const accessTokenHash = tokenDigestText(accessToken);
  for (const selector of [{ accessToken }, { accessTokenHash }, { accessToken, accessTokenHash }]) {
    const answer = await managed.operations().authTokenUpdate({ ...selector, scopes: ["read"] });
    t.is(answer.resultCode, "A135001");
    t.is(answer.accessToken, (selector as { accessToken?: string }).accessToken);
  }
});

for (const [what, selector] of [
  ["an unknown token", { accessToken: "unknown" }],
  ["an invalid hash", { accessTokenHash: "unknown" }],
  ["the hash of a hash", { accessToken: "HASH" }],
  ["a value and the hash of another", { accessToken: "TOKEN", accessTokenHash: thumbprint }],
  ["a value and an invalid hash", { accessToken: "TOKEN", accessTokenHash: "x" }],
  ["a refresh token", { accessToken: "REFRESH" }],
] as const) {
  test(`${what}: A134202, NOT_FOUND, and nothing is written`, async (t) => {
    const managed = await startManagedTokens(t);
    const { accessToken, refreshToken } = await create(managed);
    const written = managed.commands.length;
    const filled = Object.entries(selector).map(([name, value]) => [
      name,
      value
        .replace("TOKEN", accessToken)
        .replace("HASH", tokenDigestText(accessToken))
        .replace("REFRESH", refreshToken),
    ]);
    const request = Object.fromEntries(filled) as TokenUpdateRequest;
    const answer = await managed.operations().authTokenUpdate({ ...request, scopes: ["read"] });
    t.like(answer, { resultCode: "A134202", action: "NOT_FOUND" });
    t.is(managed.commands.length, written);
    t.is((await managed.facts(accessToken))["scope"], "read write");
  });
}

test("another service's token is not found", async (t) => {
  const managed = await startManagedTokens(t);
  const { accessToken } = await create(managed);
  const answer = await managed.operations(otherServiceId).authTokenUpdate({ accessToken, scopes: ["read"] });
  t.is(answer.resultCode, "A134202");
  t.is((await managed.facts(accessToken))["scope"], "read write");
});

test("a token that has expired is not brought back to life, to the millisecond", async (t) => {
  const managed = await startManagedTokens(t);
  const { accessToken } = await create(managed);
  const expiry = ((await managed.facts(accessToken))["exp"] as number) * 1000;
  const extend = () => managed.operations().authTokenUpdate({ accessToken, accessTokenExpiresAt: expiry + hour });
  managed.setClock(expiry);
  t.is((await extend()).resultCode, "A134202");
  managed.setClock(expiry - 1);
  t.is((await extend()).resultCode, "A135001");
  managed.setClock(expiry);
  t.true((await managed.facts(accessToken))["active"]);
});

for (const [what, change, code] of [
  ["a scope that the service does not have", { scopes: ["read", "admin"] }, "A134206"],
  ["an invalid thumbprint", { certificateThumbprint: `${thumbprint}=` }, "A134207"],
] as const) {
  test(`${what}: ${code}, BAD_REQUEST, and nothing changes`, async (t) => {
    const managed = await startManagedTokens(t);
    const { accessToken } = await create(managed);
    const before = await managed.facts(accessToken);
    const answer = await managed.operations().authTokenUpdate({ accessToken, ...(change as TokenUpdateRequest) });
    t.like(answer, { resultCode: code, action: "BAD_REQUEST" });
    t.deepEqual(await managed.facts(accessToken), before);
  });
}

test("a refresh token's expiry without a refresh token: A134205, and nothing is changed", async (t) => {
  const managed = await startManagedTokens(t);
  const { accessToken } = await create(managed, { clientId: 5 });
  const refreshTokenExpiresAt = startInstant + hour;
  const answer = await managed.operations().authTokenUpdate({ accessToken, refreshTokenExpiresAt, scopes: ["read"] });
  t.like(answer, { resultCode: "A134205", action: "BAD_REQUEST" });
  t.is((await managed.facts(accessToken))["scope"], "read write");
});

test("a request that names no token: A134201, BAD_REQUEST", async (t) => {
  const { operations } = await startManagedTokens(t);
  for (const selector of [{}, { accessToken: "", accessTokenHash: null }]) {
    const answer = await operations().authTokenUpdate({ ...selector, scopes: ["read"] });
    t.like(answer, { resultCode: "A134201", action: "BAD_REQUEST" });
  }
});

test("a refresh token that has expired is not brought back to life either, to the millisecond", async (t) => {
  const managed = await startManagedTokens(t, { accessTokenDuration: 7200, refreshTokenDuration: 3600 });
  const { accessToken, refreshToken } = await create(managed);
  const expiry = ((await managed.facts(refreshToken))["exp"] as number) * 1000;
  const prolong = () => managed.operations().authTokenUpdate({ accessToken, refreshTokenExpiresAt: expiry + hour });
  managed.setClock(expiry);
  t.is((await prolong()).resultCode, "A134205");
  t.false((await managed.facts(refreshToken))["active"]);
  managed.setClock(expiry - 1);
  t.is((await prolong()).resultCode, "A135001");
  managed.setClock(expiry);
  t.true((await managed.facts(refreshToken))["active"]);
});
