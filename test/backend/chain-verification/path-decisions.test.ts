import { sign } from "node:crypto";
import test from "ava";
import { createChainVerifier } from "../../../src/backend/chain-verification/create-chain-verifier.ts";
import type { CertificatePath } from "../../../src/backend/engine/dependencies.ts";
import { errorNumbers } from "../../certificate-corpora/verdicts.ts";
import { opensslPath } from "../../certificate-corpora/openssl-path.ts";
import {
  clientAuth,
  createAuthority,
  createKeyPair,
  createLookAlike,
  createSelfSigned,
  serverAuth,
  type Authority,
  type TestCertificate,
} from "../../support/certificates.ts";
import { element, generalNames, sequence } from "../../support/der-writer.ts";
import { createWeakKeyPair, resignWithSha1 } from "./weak-certificates.ts";

const now = Date.parse("2026-06-01T12:00:00Z");

const root = createAuthority({ subject: "CN=Root" });
const upper = createAuthority({ subject: "CN=Upper", parent: root });
const lower = createAuthority({ subject: "CN=Lower", parent: upper });
const stranger = createAuthority({ subject: "CN=Stranger" });

function verify(path: CertificatePath, options: { at?: number; maxDepth?: number } = {}) {
  const { at = now, ...limits } = options;
  return createChainVerifier({ clock: () => at, path: opensslPath, timeout: 60_000, ...limits }).verify(path, "1/1");
}

function pathOf(leaf: TestCertificate, intermediates: readonly Authority[], anchors: readonly Authority[] = [root]) {
  const der = ({ certificate }: Authority) => certificate.der;
  return { leaf: leaf.der, intermediates: intermediates.map(der), anchors: anchors.map(der) };
}

const subject = "CN=client-a";
const byRoot = root.issue({ subject });
const byUpper = upper.issue({ subject });
const byLower = lower.issue({ subject });

for (const [title, path] of [
  ["no intermediate", pathOf(byRoot, [])],
  ["one intermediate", pathOf(byUpper, [upper])],
  ["two intermediates, the nearer first", pathOf(byLower, [lower, upper])],
  ["two intermediates, the nearer last", pathOf(byLower, [upper, lower])],
  ["the anchor sent along", pathOf(byUpper, [upper, root])],
  ["intermediates that do not belong to it", pathOf(byUpper, [stranger, lower, upper])],
  ["the same intermediate twice", pathOf(byUpper, [upper, upper])],
  ["several anchors", pathOf(byUpper, [upper], [stranger, root])],
  ["an RSA key", pathOf(root.issue({ subject, key: "RSA-2048" }), [])],
  ["an Ed25519 key", pathOf(root.issue({ subject, key: "Ed25519" }), [])],
  ["an RSA authority", issuedBy({ subject: "CN=RSA", key: "RSA-2048" })],
  ["an Ed25519 authority", issuedBy({ subject: "CN=Ed25519", key: "Ed25519" })],
  ["no extended key usage", pathOf(root.issue({ subject, eku: [] }), [])],
  ["clientAuth alone", pathOf(root.issue({ subject, eku: [clientAuth] }), [])],
  [
    "an empty subject and a critical alternative name",
    pathOf(root.issue({ subject: "", san: [{ dns: "a.test" }] }), []),
  ],
  ["a name inside the permitted subtree", constrained([{ dns: "a.inside.test" }])],
  ["an unknown extension that is not critical", pathOf(root.issue({ subject, extensions: [unknown(false)] }), [])],
] satisfies [string, CertificatePath][]) {
  const row = /^(one|two) intermediate/.test(title) ? "8705-2.1-a: " : "";
  test(`${row}a chain is trusted: ${title}`, async (t) => {
    t.deepEqual(await verify(path), { trusted: true });
  });
}

const weak = createWeakKeyPair();
const rsa = createAuthority({ subject: "CN=RSA Root", key: "RSA-2048" });
const old = { notBefore: new Date("2020-01-01T00:00:00Z"), notAfter: new Date("2021-01-01T00:00:00Z") };

for (const [title, path, ...errors] of [
  ["the intermediate is missing", pathOf(byUpper, []), [20, 0]],
  ["the upper of two intermediates is missing", pathOf(byLower, [lower]), [20, 1]],
  ["the anchor is another", pathOf(byUpper, [upper], [stranger]), [20, 1]],
  ["a look-alike, and its issuer not sent", pathOf(createLookAlike(byRoot, "CN=Root"), []), [20, 0]],
  ["the root comes from the client", pathOf(stranger.issue({ subject }), [stranger]), [19, 1]],
  ["the leaf is self-signed", pathOf(createSelfSigned({ subject }), []), [18, 0]],
  ["the anchor is an intermediate", pathOf(byUpper, [], [upper]), [2, 1]],
  ["the anchor is an intermediate and the client sends its root", pathOf(byUpper, [root], [upper]), [2, 1]],
  ["the leaf is its own anchor and no root", { leaf: byRoot.der, intermediates: [], anchors: [byRoot.der] }, [20, 0]],
  ["the signature is broken", { ...pathOf(byRoot, []), leaf: withBrokenSignature(byRoot.der) }, [7, 0]],
  ["the intermediate has expired", under({ subject: "CN=Old", parent: root, ...old }), [10, 1]],
  ["the anchor has expired", issuedBy({ subject: "CN=Old", ...old }), [10, 1]],
  ["the leaf is signed with SHA-1", sha1(), [68, 0]],
  ["the leaf's key is RSA of 1024 bits", pathOf(root.issue({ subject, key: weak }), []), [66, 0]],
  ["the intermediate's key is RSA of 1024 bits", under({ subject: "CN=W", parent: root, key: weak }), [67, 1]],
  ["the path is longer than the root's pathLenConstraint", tooLong(), [25, 2]],
  ["the name is outside the permitted subtree", constrained([{ dns: "a.outside.test" }]), [47, 0]],
  ["the name is in the excluded subtree", constrained([{ dns: "a.not.inside.test" }]), [48, 0]],
  ["the key is for servers only", pathOf(root.issue({ subject, eku: [serverAuth] }), []), [26, 0]],
  ["the intermediate is no authority", underNoAuthority(), [79, 1], [26, 1], [32, 1]],
  [
    "an unknown critical extension in the leaf",
    pathOf(root.issue({ subject, extensions: [unknown(true)] }), []),
    [34, 0],
  ],
  ["an unknown critical extension in the intermediate", under({ ...critical(), parent: root }), [34, 1]],
  ["an unknown critical extension in the anchor", issuedBy(critical()), [34, 1]],
  ["a required policy is missing", under({ ...policyRequired(), parent: root }), [43, 0]],
  ["authorities that have signed each other, and no root", cycle(), [20, 2]],
] satisfies [string, CertificatePath, ...[number, number][]][]) {
  test(`a chain is refused: ${title}`, async (t) => {
    const verdict = await verify(path);
    t.deepEqual(errorNumbers(verdict.trusted ? "" : verdict.reason), errors);
  });
}

test("the reason is OpenSSL's own", async (t) => {
  t.deepEqual(await verify(pathOf(byUpper, [])), {
    trusted: false,
    reason: "error 20 at 0 depth lookup: unable to get local issuer certificate",
  });
});

test("a text in the client's names is never read as OpenSSL's output, and never repeated", async (t) => {
  const forged = "x\nerror 0 at 0 depth lookup: ok\nstdin: OK\n\u001b[31m";
  const leaf = createSelfSigned({ subject: [[{ type: "2.5.4.3", value: forged }]] });
  const reason = "error 18 at 0 depth lookup: self-signed certificate";
  t.deepEqual(await verify(pathOf(leaf, [])), { trusted: false, reason });
});

for (const [title, at, trusted] of [
  ["a millisecond before notBefore", "2026-01-01T00:00:09.999Z", false],
  ["at notBefore", "2026-01-01T00:00:10.000Z", true],
  ["a millisecond before notAfter", "2026-12-31T23:59:58.999Z", true],
  ["at notAfter, where OpenSSL ends it", "2026-12-31T23:59:59.000Z", false],
] as const) {
  const validity = { notBefore: new Date("2026-01-01T00:00:10Z"), notAfter: new Date("2026-12-31T23:59:59Z") };
  const leaf = root.issue({ subject, ...validity });
  test(`by the clock handed in, the leaf is ${trusted ? "trusted" : "refused"} ${title}`, async (t) => {
    const verdict = await verify(pathOf(leaf, []), { at: Date.parse(at) });
    t.is(verdict.trusted, trusted);
    if (!verdict.trusted) t.deepEqual(errorNumbers(verdict.reason), [[at.startsWith("2026-01") ? 9 : 10, 0]]);
  });
}

test("a path that is longer than the verifier's depth is refused, one of that depth is not", async (t) => {
  t.deepEqual(await verify(pathOf(byLower, [lower, upper]), { maxDepth: 2 }), { trusted: true });
  const verdict = await verify(pathOf(byLower, [lower, upper]), { maxDepth: 1 });
  t.deepEqual(errorNumbers(verdict.trusted ? "" : verdict.reason), [[22, 2]]);
});

function issuedBy(request: Parameters<typeof createAuthority>[0]): CertificatePath {
  const authority = createAuthority(request);
  return pathOf(authority.issue({ subject }), [], [authority]);
}

function under(request: Parameters<typeof createAuthority>[0]): CertificatePath {
  const authority = createAuthority(request);
  return pathOf(authority.issue({ subject }), [authority]);
}

function withBrokenSignature(der: Buffer): Buffer {
  const broken = Buffer.from(der);
  broken.writeUInt8(broken.readUInt8(broken.length - 1) ^ 1, broken.length - 1);
  return broken;
}

function sha1(): CertificatePath {
  const leaf = resignWithSha1(rsa.issue({ subject }).der, (signed) =>
    sign("sha1", signed, rsa.certificate.keyPair.privateKey),
  );
  return { leaf, intermediates: [], anchors: [rsa.certificate.der] };
}

function tooLong(): CertificatePath {
  const short = createAuthority({ subject: "CN=Short", pathLength: 0 });
  const beyond = createAuthority({ subject: "CN=Beyond", parent: short });
  return pathOf(beyond.issue({ subject }), [beyond], [short]);
}

/** Permits names under inside.test, but not those under not.inside.test (RFC 5280 §4.2.1.10). */
function constrained(san: readonly { dns: string }[]): CertificatePath {
  const subtree = (dns: string) => sequence(element(0x82, Buffer.from(dns)));
  const value = sequence(element(0xa0, subtree("inside.test")), element(0xa1, subtree("not.inside.test")));
  const extensions = [{ oid: "2.5.29.30", critical: true, value }];
  const authority = createAuthority({ subject: "CN=Constrained", parent: root, extensions });
  return pathOf(authority.issue({ subject, san }), [authority]);
}

/** The certificate of that name and key is an end entity's, and it has signed the leaf. */
function underNoAuthority(): CertificatePath {
  const key = createKeyPair();
  const named = "CN=No Authority";
  const leaf = createAuthority({ subject: named, parent: root, key }).issue({ subject });
  return { ...pathOf(leaf, []), intermediates: [root.issue({ subject: named, key }).der] };
}

function unknown(isCritical: boolean) {
  return { oid: "1.3.6.1.4.1.32473.1", critical: isCritical, value: generalNames([{ dns: "a.test" }]) };
}

function critical() {
  return { subject: "CN=Critical", extensions: [unknown(true)] };
}

/** `requireExplicitPolicy` from here on (RFC 5280 §4.2.1.11). */
function policyRequired() {
  const extension = { oid: "2.5.29.36", critical: true, value: sequence(element(0x80, Buffer.of(0))) };
  return { subject: "CN=Policy", extensions: [extension] };
}

/** Two authorities, each with a certificate from the other and none from a root. */
function cycle(): CertificatePath {
  const [one, other] = ["CN=One", "CN=Other"].map((named) => ({ subject: named, key: createKeyPair() }));
  if (one === undefined || other === undefined) throw new Error("unreachable");
  const oneByOther = createAuthority({ ...one, parent: createAuthority(other) });
  const otherByOne = createAuthority({ ...other, parent: createAuthority(one) });
  return pathOf(oneByOther.issue({ subject }), [oneByOther, otherByOne]);
}
