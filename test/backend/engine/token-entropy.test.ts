import test from "ava";
import { createTokenSet, type TokenSetDecision } from "../../../src/backend/engine/token/token-set.ts";
import { createEngineByHand, startInstant } from "../../support/engine.ts";
import { clientSettings, serviceSettings } from "../../support/settings.ts";
import { readPrepared } from "../../support/user-tokens.ts";

const samples = 1_000_000;
const octets = 32;

test("6749-10.10: a million tokens of 256 bits, no two alike, and every octet takes every value alike often", async (t) => {
  const settings = serviceSettings();
  const byHand = await createEngineByHand(t, [{ settings, clients: [clientSettings({ clientId: 1 })] }]);
  const decision: TokenSetDecision = {
    ...(await readPrepared(byHand)),
    ...{ clientIdAliasUsed: false, grantType: "AUTHORIZATION_CODE", code: "A052001", subject: undefined },
    ...{ scopes: [], requestedResources: [], resources: [], x5tS256: undefined, accessTokenDuration: 3600 },
    ...{ details: {}, first: true },
    refreshToken: { scopes: [], resources: [], expiresAt: startInstant + 1000, x5tS256: undefined },
  };
  const seen = new Set<string>();
  const counts = new Uint32Array(octets * 256);
  let misshapen = 0;
  for (let drawn = 0; drawn < samples; drawn += 2) {
    const { response } = await createTokenSet(byHand.dependencies, decision);
    for (const token of [response.accessToken ?? "", response.refreshToken ?? ""]) {
      if (!/^[A-Za-z0-9_-]{43}$/.test(token)) misshapen++;
      seen.add(token);
      const value = Buffer.from(token, "base64url");
      for (let at = 0; at < octets; at++) {
        const cell = at * 256 + (value[at] ?? 0);
        counts[cell] = (counts[cell] ?? 0) + 1;
      }
    }
  }
  t.is(misshapen, 0);
  t.is(seen.size, samples);
  // 3906 of each value in each place, give or take 62: ten times that is beyond any chance.
  t.deepEqual(
    [...counts].filter((count) => Math.abs(count - samples / 256) > 620),
    [],
  );
  // By the most frequent value of each place, at least 248 bits (RFC 6749 §10.10 asks for 160).
  const places = Array.from({ length: octets }, (_, at) => Math.max(...counts.subarray(at * 256, at * 256 + 256)));
  t.true(places.reduce((bits, most) => bits - Math.log2(most / samples), 0) > 248);
});
