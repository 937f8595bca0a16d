import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { matchesDistinguishedName } from "../../src/x509/distinguished-name.ts";
import { readCertificate } from "../../src/x509/read-certificate.ts";
import { readDistinguishedName } from "../../src/x509/read-distinguished-name.ts";
import { respellDistinguishedName } from "../../src/x509/respell-distinguished-name.ts";
import { readSubject } from "../../src/x509/subject.ts";
import { createSelfSigned } from "../support/certificates.ts";

const run = promisify(execFile);

const respelt: readonly (readonly [written: string, spelling: string])[] = [
  ["C = ES, O = Acme, CN = a", "CN=a,O=Acme,C=ES"],
  ["C=ES,O=Acme,CN=a", "CN=a,O=Acme,C=ES"],
  ["subject=C = ES, O = Acme, CN = a", "CN=a,O=Acme,C=ES"],
  ["        Subject: C = ES, O = Acme, CN = a\n", "CN=a,O=Acme,C=ES"],
  ["subject= /C=ES/O=Acme/CN=a", "CN=a,O=Acme,C=ES"],
  ["/C=ES/O=Acme/CN=a", "CN=a,O=Acme,C=ES"],
  ["/CN=a/O=Acme/C=ES", "C=ES,O=Acme,CN=a"],
  ["/O=Acme, Inc./CN=https://a.example/b", "CN=https://a.example/b,O=Acme\\, Inc."],
  ["/O=Zo\\xC3\\xAB/CN=a", "CN=a,O=Zo\\C3\\AB"],
  ["subject=CN=a,O=Acme,C=ES", "CN=a,O=Acme,C=ES"],
  ["subject=CN = a", "CN=a"],
  ["subject=\n    countryName               = ES\n    commonName                = a, b", "CN=a\\, b,C=ES"],
  ["C=ES\nCN=a", "CN=a,C=ES"],
  ['C = ES, O = "Acme, \\"Inc\\"", CN = a', 'CN=a,O=Acme\\, \\"Inc\\",C=ES'],
  ['CN=a, O="Acme, Inc."', "CN=a,O=Acme\\, Inc."],
  ["C = ES, CN = a + UID = 7", "CN=a+UID=7,C=ES"],
  ["DC=org,DC=example,CN=a", "CN=a,DC=example,DC=org"],
  ["C=ES, ST=Madrid, O=Acme", "O=Acme,ST=Madrid,C=ES"],
  ["C = ES, O = Acme, CN = a, emailAddress = a@example.org", "emailAddress=a@example.org,CN=a,O=Acme,C=ES"],
  ["O = Acme, OID.2.5.4.97 = PSDES-1, CN = a", "CN=a,OID.2.5.4.97=PSDES-1,O=Acme"],
];

for (const [written, spelling] of respelt) {
  test(`offers ${spelling} for ${JSON.stringify(written)}`, (t) => {
    t.is(respellDistinguishedName(written), spelling);
    t.is(respellDistinguishedName(spelling === "C=ES,O=Acme,CN=a" ? "CN=a,O=Acme,C=ES" : spelling), undefined);
  });
}

const leftAlone: readonly string[] = [
  "",
  "CN=a",
  "CN = a",
  "C=ES",
  "CN=a,O=Acme,C=ES",
  "CN=a, O=Acme, C=ES",
  "CN = a + UID = 7 , O=Acme\\, Inc., C=DE",
  "UID=7+CN=a,O=Acme\\, Inc.,C=DE",
  "emailAddress=a@example.org,CN=a,O=Acme",
  "DC=example,DC=org",
  "OU=machines,O=Acme",
  "L=Berlin,O=Acme",
  "1.2.3.4=a,1.2.3.5=b",
  "CN=#0c0161,O=Acme",
  "CN=a,O=Acme\n",
  "client-a",
  "CN=a,HUNTER2",
  "/HUNTER2",
  "/CN=a/b=c",
  "subject=HUNTER2",
  "C=ES,XYZ=b,CN=a",
  'CN="a',
  "CN=a\u200Bb,C=ES",
];

for (const written of leftAlone) {
  test(`offers nothing for ${JSON.stringify(written)}`, (t) => {
    t.is(respellDistinguishedName(written), undefined);
  });
}

/** Subjects as `openssl req -subj` takes them. */
const subjects: readonly string[] = [
  "/C=ES/O=Acme, Inc./CN=a",
  '/C=ES/ST=Madrid/L=Alcalá/O=Acme \\+ Sons; \\"quoted\\" <a>\\\\b/OU=#1/CN=Zoë',
  "/C=ES/organizationIdentifier=PSDES-1/serialNumber=7/CN=a/emailAddress=a@example.org",
  "/DC=org/DC=example/UID=7+CN=a",
  "/C=ES/SN=Lee/GN=Ann/initials=AL/title=Dr/pseudonym=x/CN=Ann Lee",
  "/O=Acme/mail=a@example.org/unstructuredName=x/CN=a",
];

async function makeFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function print(certificate: string, nameOptions: readonly string[]): Promise<string> {
  const { stdout } = await run("openssl", ["x509", "-in", certificate, "-noout", "-subject", ...nameOptions]);
  return stdout.trimEnd();
}

for (const subject of subjects) {
  test(`what openssl prints of its own certificate for ${subject} is read or respelt, and matches it`, async (t) => {
    const folder = await makeFolder(t);
    const path = join(folder, "client.pem");
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", join(folder, "key.pem")];
    await run("openssl", ["req", "-x509", ...key, "-utf8", "-multivalue-rdn", "-subj", subject, "-out", path]);
    const presented = readSubject(readCertificate(await readFile(path, "utf8")).raw).distinguishedName;
    for (const options of ["RFC2253", "RFC2253,oid"]) {
      const printed = (await print(path, ["-nameopt", options])).replace("subject=", "");
      t.true(matchesDistinguishedName(readDistinguishedName(printed), presented), printed);
      t.is(respellDistinguishedName(printed), undefined, printed);
    }
    for (const options of [
      [],
      ["-nameopt", "RFC2253"],
      ["-nameopt", "multiline,-esc_msb,utf8"],
      ["-nameopt", "compat"],
    ]) {
      const printed = await print(path, options);
      // The lines of OpenSSL do not say which attributes stand together, its slashes not what is escaped.
      if (subject.includes("+") && options[1] !== "RFC2253") continue;
      const spelling = respellDistinguishedName(printed) ?? "";
      t.true(matchesDistinguishedName(readDistinguishedName(spelling), presented), `${printed}\n${spelling}`);
    }
  });
}

test("an empty value matches a real certificate's empty value, which openssl can read, and no other", async (t) => {
  const folder = await makeFolder(t);
  const path = join(folder, "client.pem");
  const subject = [[{ type: "O", value: "Acme" }], [{ type: "CN", value: "" }]];
  await writeFile(path, createSelfSigned({ subject }).pem);
  t.is(await print(path, ["-nameopt", "RFC2253"]), "subject=CN=,O=Acme");
  const presented = readSubject(readCertificate(await readFile(path, "utf8")).raw).distinguishedName;
  t.true(matchesDistinguishedName(readDistinguishedName("CN=,O=Acme"), presented));
  for (const other of ["O=Acme", "CN=a,O=Acme", "CN=,O=", "OU=,O=Acme", "O=Acme,CN="]) {
    t.false(matchesDistinguishedName(readDistinguishedName(other), presented), other);
  }
});

test("whatever is offered can be read, and any text gets an offer or none", (t) => {
  const pieces = fc.constantFrom(
    ...["subject=", "/", "C", "CN", "O", "=", " = ", ",", "+", "\\", '"', "\n", "#", "a", " ", "\\x41", "XYZ", "é"],
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 14 }), (parts) => {
      const offered = respellDistinguishedName(parts.join(""));
      return offered === undefined || readDistinguishedName(offered).rdns.length > 0;
    }),
    { numRuns: 3000 },
  );
  t.pass();
});
