import test from "ava";
import { createChainVerifier } from "../../../src/backend/chain-verification/create-chain-verifier.ts";
import { readLimboCases, readLimboExpectations, type LimboCase } from "../../certificate-corpora/limbo.ts";
import { opensslPath } from "../../certificate-corpora/openssl-path.ts";
import { assertVerdict } from "../../certificate-corpora/verdicts.ts";

const cases = await readLimboCases();
const expectations = await readLimboExpectations();

/** Each case with its own purpose, instant and depth: with another purpose nearly all are refused for that alone. */
function verifierFor({ purpose, at, maxDepth }: LimboCase) {
  return createChainVerifier({
    clock: () => at,
    path: opensslPath,
    purpose,
    ...(maxDepth === undefined ? {} : { maxDepth }),
    // The longest chains of the corpus, so that OpenSSL has to decide over them and not our limit.
    maxIntermediates: 100,
    timeout: 60_000,
  });
}

test("the table of verdicts names every case, 184 for servers and 10 for clients, and no other", (t) => {
  t.deepEqual([...expectations.keys()].sort(), cases.map(({ id }) => id).sort());
  t.is(cases.filter(({ purpose }) => purpose === "sslserver").length, 184);
  t.is(cases.filter(({ purpose }) => purpose === "sslclient").length, 10);
});

test("the table explains each verdict that is not RFC 5280's, and only those", (t) => {
  const inScope = cases.filter(({ id }) => expectations.get(id)?.outOfScope === undefined);
  t.deepEqual(
    inScope.filter(({ id }) => expectations.get(id)?.deviation !== undefined).map(({ id }) => id),
    inScope.filter(({ id, valid }) => (expectations.get(id)?.openssl === "trusted") !== valid).map(({ id }) => id),
  );
});

test("only cases about revocation, names of servers and CA/Browser Forum policy are out of scope", (t) => {
  const outOfScope = cases.filter(({ id }) => expectations.get(id)?.outOfScope !== undefined);
  t.deepEqual([...new Set(outOfScope.map(({ id }) => id.split("::")[0]))].sort(), ["crl", "webpki"]);
});

test("of the cases for clients one false one is accepted, for a malformed address", (t) => {
  const clients = cases.filter(({ purpose }) => purpose === "sslclient");
  const wrong = clients.filter(({ id, valid }) => (expectations.get(id)?.openssl === "trusted") !== valid);
  t.deepEqual(
    wrong.map(({ id }) => id),
    ["rfc5280::nc::nc-permits-invalid-email-san"],
  );
});

for (const limboCase of cases) {
  const { openssl: expected = "", outOfScope } = expectations.get(limboCase.id) ?? {};
  const row = outOfScope === undefined ? "8705-2.1-a: " : "";
  test.serial(`${row}limbo ${limboCase.id}: ${expected}`, async (t) => {
    const verdict = await verifierFor(limboCase).verify(limboCase.path, "1/1");
    assertVerdict(t, verdict, expected);
  });
}

test.serial("limbo: chains of a hundred intermediates are refused before OpenSSL is asked", async (t) => {
  const long = cases.filter(({ path }) => path.intermediates.length > 16);
  t.is(long.length, 4);
  const verifier = createChainVerifier({ clock: () => 0, openssl: "no-such-program" });
  for (const { path } of long) {
    t.deepEqual(await verifier.verify(path, "1/1"), { trusted: false, reason: "more than 16 intermediates" });
  }
});
