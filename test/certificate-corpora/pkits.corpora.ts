import test from "ava";
import { createChainVerifier } from "../../src/backend/chain-verification/create-chain-verifier.ts";
import { locateCryptographyVectors } from "./cryptography-vectors.ts";
import { opensslPath } from "./openssl-path.ts";
import { readPkitsCases, readPkitsExpectations } from "./pkits.ts";
import { assertVerdict } from "./verdicts.ts";

const cases = await readPkitsCases(locateCryptographyVectors());
const expectations = await readPkitsExpectations();

/** PKITS is valid from 2010 to 2030, but for the certificates that are about validity. */
const at = Date.parse("2025-01-01T00:00:00Z");
const verifier = createChainVerifier({
  clock: () => at,
  path: opensslPath,
  timeout: 60_000,
  explanations: { ofClient: 1000, ofAll: 1000 },
});

test("the table of verdicts names every end entity of PKITS, and no other", (t) => {
  t.deepEqual([...expectations.keys()].sort(), cases.map(({ name }) => name).sort());
});

test("the table explains each verdict that is not that of PKITS, and only those", (t) => {
  for (const [name, { valid, openssl, deviation, outOfScope }] of expectations) {
    const explained = deviation !== undefined || outOfScope !== undefined;
    t.is(explained, (openssl === "trusted") !== valid, name);
  }
});

test("a path that is invalid by PKITS is rejected, unless only a revocation list makes it so", (t) => {
  for (const [name, { valid, openssl, outOfScope }] of expectations) {
    if (!valid && openssl === "trusted") t.is(outOfScope, "revocation is not checked", name);
  }
});

for (const { name, path } of cases) {
  const { openssl: expected = "", outOfScope } = expectations.get(name) ?? {};
  const row = outOfScope === undefined ? "8705-2.1-a: " : "";
  test.serial(`${row}PKITS ${name}: ${expected}`, async (t) => {
    assertVerdict(t, await verifier.verify(path, "1/1"), expected);
  });
}
