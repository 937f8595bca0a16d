import { writeFile } from "node:fs/promises";
import test from "ava";
import { createChainVerifier } from "../../../src/backend/chain-verification/create-chain-verifier.ts";
import { hasSignedPath } from "../../../src/backend/chain-verification/has-signed-path.ts";
import { createAuthority, createLookAlike, createSelfSigned } from "../../support/certificates.ts";
import { createStandIn } from "./stand-in-openssl.ts";

const root = createAuthority({ subject: "CN=Root" });
const first = createAuthority({ subject: "CN=First", parent: root });
const second = createAuthority({ subject: "CN=Second", parent: first });
const anchors = [root.certificate.der];
const leaf = root.issue({ subject: "CN=client" });

test("a path has its signatures whatever the order and whatever else is sent along", (t) => {
  const deep = second.issue({ subject: "CN=client" }).der;
  const [one, two] = [first.certificate.der, second.certificate.der];
  const other = createSelfSigned({ subject: "CN=other" }).der;
  t.true(hasSignedPath({ leaf: leaf.der, intermediates: [], anchors }));
  t.true(hasSignedPath({ leaf: deep, intermediates: [two, one], anchors }));
  t.true(
    hasSignedPath({ leaf: deep, intermediates: [other, one, root.certificate.der, two], anchors: [other, ...anchors] }),
  );
  for (const key of ["RSA-2048", "Ed25519"] as const) {
    const authority = createAuthority({ subject: "CN=Root", key });
    const issued = authority.issue({ subject: "CN=client", key });
    t.true(hasSignedPath({ leaf: issued.der, intermediates: [], anchors: [authority.certificate.der] }));
  }
});

test("names alone are no signatures: forgeries, gaps and circles lead nowhere", (t) => {
  const deep = second.issue({ subject: "CN=client" }).der;
  const forged = createLookAlike(leaf, "CN=Root");
  const fakeRoot = createAuthority({ subject: "CN=Root" });
  const a = createAuthority({ subject: "CN=A" });
  const b = createAuthority({ subject: "CN=B", parent: a });
  const circle = createAuthority({ subject: "CN=A", key: a.certificate.keyPair, parent: b });
  t.false(hasSignedPath({ leaf: forged.der, intermediates: [], anchors }));
  t.false(hasSignedPath({ leaf: forged.der, intermediates: [fakeRoot.certificate.der], anchors }));
  t.false(hasSignedPath({ leaf: deep, intermediates: [first.certificate.der], anchors }));
  t.false(hasSignedPath({ leaf: createSelfSigned({ subject: "CN=client" }).der, intermediates: [], anchors }));
  t.false(
    hasSignedPath({
      leaf: b.issue({ subject: "CN=client" }).der,
      intermediates: [b.certificate.der, circle.certificate.der],
      anchors,
    }),
  );
});

test("strangers with a client's name in their certificates take no turn from honest clients", async (t) => {
  await using standIn = await createStandIn(
    'echo >>$here/runs; until [ -e "$here/go" ]; do sleep 0.05; done; cat >/dev/null; echo "stdin: OK"',
  );
  const verifier = createChainVerifier({
    clock: () => Date.parse("2026-11-21T00:00:00Z"),
    ...standIn.options,
    concurrency: 1,
    queue: 1,
    timeout: 30_000,
  });
  t.teardown(() => verifier.close());
  const verify = (der: Uint8Array) => verifier.verify({ leaf: der, intermediates: [], anchors });
  const running = verify(leaf.der);
  while ((await standIn.runs()) === 0) await new Promise((resolve) => setImmediate(resolve));
  for (let round = 0; round < 20; round++) {
    const verdict = await verify(createLookAlike(leaf, "CN=Root").der);
    t.deepEqual(verdict, { trusted: false, reason: "no signatures lead from it to a trust anchor" });
  }
  const waiting = verify(root.issue({ subject: "CN=client" }).der);
  await writeFile(standIn.file("go"), "");
  t.deepEqual(await Promise.all([running, waiting]), [{ trusted: true }, { trusted: true }]);
  t.is(await standIn.runs(), 2);
});
