import { readFile } from "node:fs/promises";
import test from "ava";
import { KeysUnusable, localKeys, signatureDefect } from "../../src/jose/verify-signature.ts";
import { readCompactJwt } from "../../src/oauth/compact-jwt.ts";
import { asymmetricAlgorithms } from "../../src/resource-server/sources/algorithms.ts";

interface Group {
  readonly file: string;
  readonly comment: string;
  readonly keys: readonly Readonly<Record<string, unknown>>[];
  readonly tests: readonly { tcId: number; comment: string; jws: string; result: "valid" | "invalid" }[];
}

const path = new URL("../vectors/wycheproof-jws.json", import.meta.url);
const { groups } = JSON.parse(await readFile(path, "utf8")) as { groups: readonly Group[] };
const algorithms = [...asymmetricAlgorithms];

/** Whether the signature holds; keys that cannot be used accept nothing. */
async function accepts({ keys }: Group, jws: string): Promise<boolean> {
  try {
    return (await signatureDefect(jws, localKeys({ keys }), algorithms)) === undefined;
  } catch (error) {
    if (error instanceof KeysUnusable) return false;
    throw error;
  }
}

/** Valid there, and not here: nothing that a shared secret signed, and no algorithm that RFC 7518 does not have. */
const isOurs = ({ keys }: Group): boolean => keys.every(({ kty, alg }) => kty !== "oct" && alg !== "ES521");

/** What only an analysis of the issuer's own key would find; the key is configured, and not the token's. */
const weakKeyOfTheIssuer = new Set(["jws_rsa_roca_key"]);

/** RFC 7520 Figure 20 is PS384 under a key that says PS256: a key is for the algorithm that it names (RFC 7517 §4.4). */
const otherAlgorithm = new Set([346, 350]);

test("the vectors are those that they should be", (t) => {
  const all = groups.flatMap(({ tests }) => tests);
  t.true(all.length >= 400);
  t.true(groups.some((group) => isOurs(group) && group.tests.some(({ result }) => result === "valid")));
});

for (const [at, group] of groups.entries()) {
  const { file, comment, tests } = group;
  if (weakKeyOfTheIssuer.has(comment)) continue;
  test(`9068-4-d (Wycheproof): ${file} group ${at} (${comment}, ${tests.length} signatures)`, async (t) => {
    for (const { tcId, comment: what, jws, result } of tests) {
      const expected = result === "valid" && isOurs(group) && !otherAlgorithm.has(tcId);
      t.is(await accepts(group, jws), expected, `${tcId} ${what}`);
    }
  });
}

test("what Wycheproof spells in another way is not canonical, whatever its signature", (t) => {
  const odd = groups.flatMap(({ tests }) => tests).filter(({ jws }) => /[^A-Za-z0-9_.-]/.test(jws));
  t.true(odd.length > 0);
  for (const { jws, comment } of odd) t.is(readCompactJwt(jws), undefined, comment);
});
