import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import test from "ava";
import { createChainVerifier } from "../../../src/backend/chain-verification/create-chain-verifier.ts";
import type { ChainVerifierOptions } from "../../../src/backend/chain-verification/create-chain-verifier.ts";
import { createFairTurns } from "../../../src/backend/chain-verification/fair-turns.ts";
import { readSentPath } from "../../../src/backend/chain-verification/read-path.ts";
import { createSignatureChecks } from "../../../src/backend/chain-verification/signature-checks.ts";
import { findSignedPath, mostChecks } from "../../../src/backend/chain-verification/signed-path.ts";
import type { CertificatePath } from "../../../src/backend/engine/dependencies.ts";
import {
  createAuthority,
  createKeyPair,
  createLookAlike,
  createSelfSigned,
  type KeyPair,
  type TestCertificate,
} from "../../support/certificates.ts";
import { createStandIn } from "./stand-in-openssl.ts";

const noon = Date.parse("2026-11-21T00:00:00Z");
const root = createAuthority({ subject: "CN=Root" });
const first = createAuthority({ subject: "CN=First", parent: root });
const second = createAuthority({ subject: "CN=Second", parent: first });
const anchors = [root.certificate.der];
const leaf = root.issue({ subject: "CN=client" });
const der = ({ certificate }: { readonly certificate: TestCertificate }) => certificate.der;

async function hasSignedPath(path: CertificatePath): Promise<boolean> {
  const turns = createFairTurns({ concurrency: 2, queue: 100, queueOfClient: 100, timeout: 60_000 });
  const read = readSentPath(path);
  return !("error" in read) && "signed" in (await findSignedPath(read, createSignatureChecks(turns), "1/1"));
}

/** A verifier that counts: signatures checked, and processes of an `openssl` that trusts everything. */
async function createCounted(options: Partial<ChainVerifierOptions> = {}) {
  const standIn = await createStandIn('printf . >>"$here/runs"; cat >/dev/null; echo "stdin: OK"');
  let checks = 0;
  const verifier = createChainVerifier({
    clock: () => noon,
    timeout: 60_000,
    ...standIn.options,
    verifySignature: () => {
      checks += 1;
      return Promise.resolve(true);
    },
    ...options,
  });
  return {
    verify: (path: CertificatePath, client = "1/1") => verifier.verify(path, client),
    checks: () => checks,
    runs: () => standIn.runs(),
    async [Symbol.asyncDispose]() {
      await verifier.close();
      await standIn[Symbol.asyncDispose]();
    },
  };
}

test("a path has its signatures whatever the order and whatever else is sent along", async (t) => {
  const deep = second.issue({ subject: "CN=client" }).der;
  const [one, two] = [der(first), der(second)];
  const other = createSelfSigned({ subject: "CN=other" }).der;
  t.true(await hasSignedPath({ leaf: leaf.der, intermediates: [], anchors }));
  t.true(await hasSignedPath({ leaf: deep, intermediates: [two, one], anchors }));
  t.true(await hasSignedPath({ leaf: deep, intermediates: [one, two, two], anchors }));
  const more = { intermediates: [other, one, der(root), two], anchors: [other, ...anchors] };
  t.true(await hasSignedPath({ leaf: deep, ...more }));
  for (const key of ["RSA-2048", "Ed25519"] as const) {
    const authority = createAuthority({ subject: "CN=Root", key });
    const issued = authority.issue({ subject: "CN=client", key });
    t.true(await hasSignedPath({ leaf: issued.der, intermediates: [], anchors: [der(authority)] }));
  }
});

test("names alone are no signatures: forgeries, gaps and circles lead nowhere", async (t) => {
  const deep = second.issue({ subject: "CN=client" }).der;
  const forged = createLookAlike(leaf, "CN=Root");
  const fakeRoot = createAuthority({ subject: "CN=Root" });
  const a = createAuthority({ subject: "CN=A" });
  const b = createAuthority({ subject: "CN=B", parent: a });
  const circle = createAuthority({ subject: "CN=A", key: a.certificate.keyPair, parent: b });
  for (const path of [
    { leaf: forged.der, intermediates: [] },
    { leaf: forged.der, intermediates: [der(fakeRoot)] },
    { leaf: deep, intermediates: [der(first)] },
    { leaf: deep, intermediates: [] },
    { leaf: createSelfSigned({ subject: "CN=client" }).der, intermediates: [] },
    { leaf: b.issue({ subject: "CN=client" }).der, intermediates: [der(b), der(circle)] },
  ]) {
    t.false(await hasSignedPath({ ...path, anchors }));
  }
});

/** As a stranger can make it: an issuer with an anchor's name for it, and the key that it says is the anchor's. */
function forge(request: { readonly subject: string; readonly key?: KeyPair }, authority = root) {
  const { subject } = authority.certificate;
  const liar = createAuthority({
    subject: typeof subject === "string" ? subject : "",
    key: authority.certificate.keyPair,
  });
  const made = createAuthority({ ...request, parent: liar });
  // The last octet is the signature's: it does not fit any more, and all else does.
  const broken = Buffer.from(made.certificate.der);
  broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
  return { der: broken, issue: (asked: string) => made.issue({ subject: asked }).der };
}

/** Ten intermediates that could each be the issuer of a leaf, by name and by key. */
function tenForged() {
  const key = createKeyPair();
  return Array.from({ length: 10 }, () => forge({ subject: "CN=Fake", key }));
}

test("ten intermediates of a stranger cost ten checks with an anchor's key, and no process", async (t) => {
  const used = new Set<string>();
  await using verifier = await createCounted({
    explanations: { ofClient: 0, ofAll: 0 },
    verifySignature: (_, issuer) => {
      used.add(issuer.thumbprint);
      seen += 1;
      return Promise.resolve(false);
    },
  });
  let seen = 0;
  const forged = tenForged();
  const path = {
    leaf: forged[0]?.issue("CN=client") ?? Buffer.alloc(0),
    intermediates: forged.map((one) => one.der),
    anchors,
  };
  const verdict = await verifier.verify(path);
  t.deepEqual(verdict, { trusted: false, reason: "no signatures lead from it to a trust anchor" });
  t.is(seen, 10);
  t.deepEqual([...used], [root.certificate.x5tS256]);
  // Shuffled, repeated or in part: nothing is checked again.
  for (let round = 0; round < 10; round += 1) {
    const rotated = [...path.intermediates.slice(round), ...path.intermediates.slice(0, round)];
    t.deepEqual(await verifier.verify({ ...path, intermediates: [...rotated, ...rotated.slice(0, 5)] }), verdict);
    t.deepEqual(await verifier.verify({ ...path, intermediates: rotated.slice(1) }), verdict);
  }
  t.is(seen, 10);
  t.is(await verifier.runs(), 0);
});

test("where no names lead to an anchor, nothing is checked and no process asked", async (t) => {
  await using verifier = await createCounted({ explanations: { ofClient: 0, ofAll: 0 } });
  const other = createAuthority({ subject: "CN=Other" });
  const between = createAuthority({ subject: "CN=Between", parent: other });
  for (const intermediates of [[], [der(between)], [der(between), der(other)]]) {
    const path = { leaf: between.issue({ subject: "CN=client" }).der, intermediates, anchors };
    const reason = "no names lead from it to a trust anchor";
    t.deepEqual(await verifier.verify(path), { trusted: false, reason });
  }
  // The same name, and another key than the certificate says that its issuer has.
  const lookAlike = createLookAlike(leaf, "CN=Root").der;
  t.false((await verifier.verify({ leaf: lookAlike, intermediates: [], anchors })).trusted);
  t.is(verifier.checks(), 0);
  t.is(await verifier.runs(), 0);
});

test(`a question costs ${mostChecks} checks at most, however many anchors have the name that it asks for`, async (t) => {
  let seen = 0;
  await using verifier = await createCounted({
    explanations: { ofClient: 0, ofAll: 0 },
    verifySignature: () => {
      seen += 1;
      return Promise.resolve(false);
    },
  });
  const key = root.certificate.keyPair;
  const many = Array.from({ length: 3 }, () => createAuthority({ subject: "CN=Root", key }));
  const forged = tenForged();
  const path = { leaf: forged[0]?.issue("CN=client") ?? Buffer.alloc(0), intermediates: forged.map((one) => one.der) };
  const verdict = await verifier.verify({ ...path, anchors: many.map(der) });
  t.regex(verdict.trusted ? "" : verdict.reason, /^more than 16 signatures/);
  t.is(seen, mostChecks);
});

test("OpenSSL gets only certificates that an anchor certifies, and one verdict serves all such paths", async (t) => {
  await using standIn = await createStandIn('printf . >>"$here/runs"; cp path.pem "$here/path"; exec openssl "$@"');
  const verifier = createChainVerifier({ clock: () => noon, timeout: 60_000, ...standIn.options });
  t.teardown(() => verifier.close());
  const deep = second.issue({ subject: "CN=client" }).der;
  const junk = Array.from({ length: 8 }, (_, index) => createSelfSigned({ subject: `CN=Second ${index}` }).der);
  const fake = createAuthority({ subject: "CN=Second" });
  for (const more of [[], junk, junk.slice(3), [der(fake)]]) {
    const intermediates = [...more, der(second), der(first)];
    t.deepEqual(await verifier.verify({ leaf: deep, intermediates, anchors }, "1/1"), { trusted: true });
    t.deepEqual(await verifier.verify({ leaf: deep, intermediates: intermediates.toReversed(), anchors }, "1/1"), {
      trusted: true,
    });
  }
  t.is(await standIn.runs(), 1);
});

const rsa = (modulusLength: number, publicExponent = 65_537): KeyPair =>
  generateKeyPairSync("rsa", { modulusLength, publicExponent });
const ec = (namedCurve: string): KeyPair => generateKeyPairSync("ec", { namedCurve });

test("keys that are slow to check are rejected by name, anywhere in the path, before any check", async (t) => {
  await using verifier = await createCounted();
  for (const [key, words] of [
    [ec("sect571r1"), "is on a curve that is not accepted"],
    [ec("sect283k1"), "is on a curve that is not accepted"],
    [generateKeyPairSync("x25519") as KeyPair, "is of an algorithm that is not accepted"],
  ] as const) {
    const slow = root.issue({ subject: "CN=client", key });
    t.deepEqual(await verifier.verify({ leaf: slow.der, intermediates: [], anchors }), {
      trusted: false,
      reason: `the key of the certificate ${words}`,
    });
    // An authority with such a key is no authority, and the reason is the operator's to know.
    const fake = createAuthority({ subject: "CN=Slow", key: ec("sect163k1") });
    const path = { leaf: fake.issue({ subject: "CN=client" }).der, intermediates: [der(first), der(fake)] };
    t.deepEqual(await verifier.verify({ ...path, anchors }), {
      trusted: false,
      reason: "the key of intermediate 2 is on a curve that is not accepted",
    });
    t.deepEqual(await verifier.verify({ ...path, intermediates: [], anchors: [der(fake)] }), {
      trusted: false,
      reason: "the key of trust anchor 1 is on a curve that is not accepted",
    });
  }
  t.is(verifier.checks(), 0);
  t.is(await verifier.runs(), 0);
});

for (const [what, key] of [
  ["RSA of 2048 bits", rsa(2048)],
  ["RSA with the exponent 3", rsa(2048, 3)],
  ["P-384", ec("P-384")],
  ["P-521", ec("P-521")],
  ["brainpoolP256r1", ec("brainpoolP256r1")],
  ["Ed448", generateKeyPairSync("ed448") as KeyPair],
] as const) {
  test(`a key is accepted: ${what}`, async (t) => {
    await using verifier = await createCounted();
    const path = { leaf: root.issue({ subject: "CN=client", key }).der, intermediates: [], anchors };
    t.deepEqual(await verifier.verify(path), { trusted: true });
    t.is(verifier.checks(), 1);
  });
}

test("refusals are remembered, also those for which nothing was asked", async (t) => {
  await using verifier = await createCounted({ explanations: { ofClient: 1, ofAll: 32 } });
  const path = { leaf: createSelfSigned({ subject: "CN=client" }).der, intermediates: [], anchors };
  for (let round = 0; round < 3; round += 1) t.false((await verifier.verify(path)).trusted);
  t.is(await verifier.runs(), 1);
});

test("OpenSSL explains rejected paths only so many times a minute, per client and in all", async (t) => {
  let now = noon;
  await using verifier = await createCounted({ clock: () => now, explanations: { ofClient: 2, ofAll: 3 } });
  const ask = async (client: string) => {
    const path = { leaf: createSelfSigned({ subject: "CN=client" }).der, intermediates: [], anchors };
    // Even an OpenSSL that would trust it does not make it trusted.
    t.false((await verifier.verify(path, client)).trusted);
    return verifier.runs();
  };
  t.is(await ask("1/1"), 1);
  t.is(await ask("1/1"), 2);
  t.is(await ask("1/1"), 2);
  t.is(await ask("1/2"), 3);
  t.is(await ask("1/3"), 3);
  now += 60_000;
  t.is(await ask("1/3"), 4);
});

test("strangers with a client's name in their certificates do not delay honest clients", async (t) => {
  await using standIn = await createStandIn(
    'echo >>$here/runs; until [ -e "$here/go" ]; do sleep 0.05; done; cat >/dev/null; echo "stdin: OK"',
  );
  const verifier = createChainVerifier({
    clock: () => noon,
    ...standIn.options,
    concurrency: 1,
    queue: 1,
    timeout: 30_000,
  });
  t.teardown(() => verifier.close());
  const verify = (leafDer: Uint8Array) => verifier.verify({ leaf: leafDer, intermediates: [], anchors }, "1/1");
  const running = verify(leaf.der);
  while ((await standIn.runs()) === 0) await new Promise((resolve) => setImmediate(resolve));
  for (let round = 0; round < 20; round++) {
    const verdict = await verify(forge({ subject: "CN=client" }).der);
    t.deepEqual(verdict, { trusted: false, reason: "no signatures lead from it to a trust anchor" });
  }
  const waiting = verify(root.issue({ subject: "CN=client" }).der);
  await writeFile(standIn.file("go"), "");
  t.deepEqual(await Promise.all([running, waiting]), [{ trusted: true }, { trusted: true }]);
  t.is(await standIn.runs(), 2);
});

test("a client's first verdict waits for one check of another's strangers each, however many they are", async (t) => {
  const pending: { readonly issuedTo: string; readonly end: (fits: boolean) => void }[] = [];
  let started = 0;
  await using verifier = await createCounted({
    explanations: { ofClient: 0, ofAll: 0 },
    verifySignature: ({ thumbprint }) =>
      new Promise((resolve) => {
        started += 1;
        pending.push({ issuedTo: thumbprint, end: resolve });
      }),
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  const strangers = Array.from({ length: 60 }, () => {
    const forged = forge({ subject: "CN=client" });
    return verifier.verify({ leaf: forged.der, intermediates: [], anchors }, "1/x");
  });
  await settled();
  t.is(started, 2);
  const honest = verifier.verify({ leaf: leaf.der, intermediates: [], anchors }, "1/y");
  await settled();
  // The two that are under way end; what comes next is one of the strangers' and the other client's.
  for (const { end } of pending.splice(0)) end(false);
  await settled();
  t.true(pending.some(({ issuedTo }) => issuedTo === leaf.x5tS256));
  for (const { issuedTo, end } of pending.splice(0)) end(issuedTo === leaf.x5tS256);
  t.deepEqual(await honest, { trusted: true });
  t.true(started <= 6);
  while (pending.length > 0) {
    for (const { end } of pending.splice(0)) end(false);
    await settled();
  }
  for (const verdict of await Promise.all(strangers)) t.false(verdict.trusted);
});
