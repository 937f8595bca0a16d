import { readFile, rm, writeFile } from "node:fs/promises";
import test from "ava";
import type { ExecutionContext } from "ava";
import { checkOpenssl, ChainVerificationFailure } from "../../../src/backend/chain-verification/openssl-process.ts";
import { createChainVerifier } from "../../../src/backend/chain-verification/create-chain-verifier.ts";
import { opensslPath } from "../../certificate-corpora/openssl-path.ts";
import { createAuthority } from "../../support/certificates.ts";
import { createStandIn } from "./stand-in-openssl.ts";

// One after the other: a script that another process is being forked from while it is written cannot be started.

const root = createAuthority({ subject: "CN=Root" });
const leaf = root.issue({ subject: "CN=client-a" });
const path = { leaf: leaf.der, intermediates: [], anchors: [root.certificate.der] };
const clock = () => Date.parse("2026-06-01T12:00:00Z");

async function failure(t: ExecutionContext, verified: Promise<unknown>): Promise<string> {
  const error = await t.throwsAsync(verified, { instanceOf: ChainVerificationFailure });
  return error.message;
}

for (const [title, script, message] of [
  ["says nothing", "exit 0", "openssl ended with code 0 and gave no verdict"],
  ["says OK and fails", "echo stdin: OK; exit 2", "openssl ended with code 2 and gave no verdict"],
  ["says OK of another", "echo anchors.pem: OK", "openssl ended with code 0 and gave no verdict"],
  [
    "fails without a reason",
    "echo 'Unable to load certificate' >&2; exit 2",
    "openssl ended with code 2 and gave no verdict",
  ],
  ["is killed", "kill -9 $$", "openssl was ended by a signal"],
  ["does not end", "exec sleep 60", "openssl did not finish within 500 ms"],
  ["does not stop talking", "exec yes", "openssl wrote more than it should"],
] as const) {
  test.serial(`a program that ${title} is a failure, no verdict, and leaves nothing behind`, async (t) => {
    await using standIn = await createStandIn(script);
    const timeout = script.includes("sleep") ? 500 : 60_000;
    const verifier = createChainVerifier({ clock, timeout, ...standIn.options });
    t.is(await failure(t, verifier.verify(path, "1/1")), message);
    t.deepEqual(await standIn.leftovers(), []);
  });
}

test.serial("a program that prints OK with an error beside it has rejected", async (t) => {
  const words = "error 10 at 0 depth lookup: certificate has expired";
  await using standIn = await createStandIn(`cat >/dev/null; echo '${words}' >&2; echo stdin: OK`);
  const verdict = await createChainVerifier({ clock, ...standIn.options }).verify(path, "1/1");
  t.deepEqual(verdict, { trusted: false, reason: words });
});

test.serial("a program that is not there is a failure", async (t) => {
  const verifier = createChainVerifier({ clock, openssl: "no-such-program" });
  t.is(await failure(t, verifier.verify(path, "1/1")), "openssl could not be run");
});

test.serial("a temporary directory that cannot be made is a failure", async (t) => {
  const verifier = createChainVerifier({ clock, temporaryDirectory: "/no/such/directory" });
  t.is(await failure(t, verifier.verify(path, "1/1")), "no temporary directory could be made");
});

test.serial("a failure is not remembered", async (t) => {
  await using standIn = await createStandIn('[ -e "$here/broken" ] && exit 3; exec openssl "$@"');
  const verifier = createChainVerifier({ clock, ...standIn.options });
  await writeFile(standIn.file("broken"), "");
  t.is(await failure(t, verifier.verify(path, "1/1")), "openssl ended with code 3 and gave no verdict");
  await rm(standIn.file("broken"));
  t.deepEqual(await verifier.verify(path, "1/1"), { trusted: true });
});

test.serial("the certificates lie in a private directory while OpenSSL runs, and nowhere afterwards", async (t) => {
  await using standIn = await createStandIn('stat -c "%a %n" . * >"$here/modes"; exec openssl "$@"');
  const between = createAuthority({ subject: "CN=Between", parent: root });
  const verifier = createChainVerifier({ clock, ...standIn.options });
  const longer = { ...path, leaf: between.issue({ subject: "CN=a" }).der, intermediates: [between.certificate.der] };
  t.deepEqual(await verifier.verify(longer, "1/1"), { trusted: true });
  t.is(await readFile(standIn.file("modes"), "utf8"), "700 .\n600 anchors.pem\n600 path.pem\n");
  t.deepEqual(await standIn.leftovers(), []);
});

test.serial("OpenSSL is asked with these options", async (t) => {
  await using standIn = await createStandIn('echo "$*" >"$here/asked"; exec openssl "$@"');
  const between = createAuthority({ subject: "CN=Between", parent: root });
  const longer = { ...path, leaf: between.issue({ subject: "CN=a" }).der, intermediates: [between.certificate.der] };
  await createChainVerifier({ clock, ...standIn.options }).verify(longer, "1/1");
  const options = [
    "verify -purpose sslclient -x509_strict -verify_depth 8 -auth_level 2 -policy_check -policy anyPolicy",
    "-attime 1780315200 -no-CApath -no-CAstore -CAfile anchors.pem -untrusted path.pem\n",
  ];
  t.is(await readFile(standIn.file("asked"), "utf8"), options.join(" "));
});

test.serial("nothing of the environment reaches OpenSSL but PATH", async (t) => {
  process.env["SSL_CERT_FILE"] = "/certbound/test";
  await using standIn = await createStandIn('tr "\\0" "\\n" </proc/$$/environ >"$here/environment"; exec openssl "$@"');
  await createChainVerifier({ clock, ...standIn.options }).verify(path, "1/1");
  const environment = await readFile(standIn.file("environment"), "utf8");
  t.deepEqual(
    environment
      .trim()
      .split("\n")
      .map((line) => line.split("=")[0])
      .sort(),
    ["PATH"],
  );
});

test.serial("closing ends running processes, leaves nothing behind, and answers no later request", async (t) => {
  await using standIn = await createStandIn("exec sleep 60");
  const verifier = createChainVerifier({ clock, concurrency: 1, timeout: 60_000, ...standIn.options });
  const other = { ...path, leaf: root.issue({ subject: "CN=client-b" }).der };
  const messages = [path, other].map((asked) => failure(t, verifier.verify(asked, "1/1")));
  await verifier.close();
  t.deepEqual(await Promise.all(messages), ["the chain verifier was closed", "the chain verifier was closed"]);
  t.deepEqual(await standIn.leftovers(), []);
  t.is(await failure(t, verifier.verify(path, "1/1")), "the chain verifier was closed");
});

const garbage = Buffer.alloc(1_048_576, 0x30);

for (const [title, asked, reason] of [
  ["no anchors", { ...path, anchors: [] }, "no trust anchors are configured"],
  ["an empty leaf", { ...path, leaf: Buffer.alloc(0) }, "the certificate cannot be read: empty"],
  ["a leaf as PEM", { ...path, leaf: Buffer.from(leaf.pem) }, "the certificate cannot be read: not_der"],
  [
    "a leaf with an octet behind it",
    { ...path, leaf: Buffer.concat([leaf.der, Buffer.of(0)]) },
    "the certificate cannot be read: trailing_bytes",
  ],
  [
    "two certificates as one",
    { ...path, leaf: Buffer.concat([leaf.der, leaf.der]) },
    "the certificate cannot be read: trailing_bytes",
  ],
  ["a leaf cut short", { ...path, leaf: leaf.der.subarray(0, -1) }, "the certificate cannot be read: not_der"],
  ["a mebibyte", { ...path, leaf: garbage }, "the certificate cannot be read: too_large"],
  [
    "garbage among the intermediates",
    { ...path, intermediates: [leaf.der, garbage] },
    "intermediate 2 cannot be read: too_large",
  ],
  ["garbage among the anchors", { ...path, anchors: [Buffer.of(1, 2, 3)] }, "trust anchor 1 cannot be read: not_der"],
  [
    "too many intermediates",
    { ...path, intermediates: Array<Buffer>(17).fill(leaf.der) },
    "more than 16 intermediates",
  ],
] as const) {
  test.serial(`OpenSSL is not asked, and the chain refused: ${title}`, async (t) => {
    const verifier = createChainVerifier({ clock, openssl: "no-such-program" });
    t.deepEqual(await verifier.verify(asked, "1/1"), { trusted: false, reason });
  });
}

const needed = "Client certificate chains are validated by OpenSSL 3 or later";

test.serial("OpenSSL 3 is found on the PATH handed in", async (t) => {
  t.is(await checkOpenssl({ path: opensslPath }), undefined);
});

test.serial("a missing OpenSSL is reported in one line", async (t) => {
  const missing = `${needed}, and "openssl" could not be used: openssl could not be run.`;
  t.is(await checkOpenssl({ path: "/no/such/directory" }), missing);
});

for (const [title, script, end] of [
  ["another program", "echo LibreSSL 3.3.6", "is another program."],
  ["a program that fails", "echo OpenSSL 3.0.19 27 Jan 2026; exit 1", "is another program."],
  ["OpenSSL 1.1", "echo 'OpenSSL 1.1.1w  11 Sep 2023'", "is 1.1.1."],
  ["a program that does not end", "exec sleep 60", "could not be used: openssl did not finish within 500 ms."],
] as const) {
  test.serial(`${title} in its place is reported in one line`, async (t) => {
    await using standIn = await createStandIn(script);
    const { openssl, path } = standIn.options;
    const timeout = script.includes("sleep") ? 500 : 60_000;
    t.is(await checkOpenssl({ openssl, path, timeout }), `${needed}, and "${openssl}" ${end}`);
  });
}

for (const version of [
  "OpenSSL 3.0.19 27 Jan 2026 (Library: …)",
  "OpenSSL 3.5.1 1 Jul 2025",
  "OpenSSL 4.0.0-beta1 1 Jan 2027",
]) {
  test.serial(`${version} will do`, async (t) => {
    await using standIn = await createStandIn(`echo '${version}'`);
    const { openssl, path } = standIn.options;
    t.is(await checkOpenssl({ openssl, path }), undefined);
  });
}
