import "reflect-metadata/lite";
import { SubjectAlternativeNameExtension, X509Certificate as PeculiarCertificate } from "@peculiar/x509";
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import test from "ava";
import fc from "fast-check";
import { MalformedCertificate } from "../../src/x509/malformed-certificate.ts";
import { matchesDistinguishedName } from "../../src/x509/distinguished-name.ts";
import { readDistinguishedName } from "../../src/x509/read-distinguished-name.ts";
import { checkSubject, readSubject, readSubjectExpectation, type SubjectMembers } from "../../src/x509/subject.ts";
import { createAuthority, createSelfSigned, type CertificateRequest } from "../support/certificates.ts";
import { element, generalNames, sequence, type SubjectAltName } from "../support/der-writer.ts";

const authority = createAuthority({ subject: "CN=Test CA,O=Acme" });
const keyPair = authority.certificate.keyPair;

function issue(request: Partial<CertificateRequest>): Buffer {
  return authority.issue({ subject: "CN=client-a,O=Example", key: keyPair, ...request }).der;
}

function accepts(registered: SubjectMembers, san: readonly SubjectAltName[]): boolean {
  return checkSubject(readSubjectExpectation(registered), issue({ san }));
}

const clientA = issue({
  san: [{ dns: "a.example" }, { uri: "https://a.example/" }, { email: "a@a.example" }, { ip: "192.0.2.1" }],
});

test("the five kinds of subject each find their own entry", (t) => {
  for (const registered of [
    { tlsClientAuthSubjectDn: "CN=client-a,O=Example" },
    { tlsClientAuthSanDns: "a.example" },
    { tlsClientAuthSanUri: "https://a.example/" },
    { tlsClientAuthSanEmail: "a@a.example" },
    { tlsClientAuthSanIp: "192.0.2.1" },
  ]) {
    t.true(checkSubject(readSubjectExpectation(registered), clientA), Object.keys(registered)[0]);
  }
});

test("only the registered kind counts: right elsewhere is wrong", (t) => {
  const raw = issue({
    subject: "CN=a.example",
    san: [{ uri: "b.example" }, { email: "a@c.example" }, { dns: "192.0.2.1" }, { dns: "dns.example" }],
  });
  for (const registered of [
    { tlsClientAuthSanDns: "a.example" },
    { tlsClientAuthSanDns: "b.example" },
    { tlsClientAuthSanDns: "c.example" },
    { tlsClientAuthSanIp: "192.0.2.1" },
    { tlsClientAuthSubjectDn: "CN=dns.example" },
    { tlsClientAuthSanUri: "dns:b.example" },
  ]) {
    t.false(checkSubject(readSubjectExpectation(registered), raw), JSON.stringify(registered));
  }
  t.true(checkSubject(readSubjectExpectation({ tlsClientAuthSanDns: "dns.example" }), raw));
});

test("8705-2.1-c: unequal: the issuer's name", (t) => {
  t.false(checkSubject(readSubjectExpectation({ tlsClientAuthSubjectDn: "CN=Test CA,O=Acme" }), clientA));
});

for (const [registered, presented] of [
  ["client-a.example.org", "client-a.example.org"],
  ["Client-A.example.org", "client-a.EXAMPLE.org"],
  ["xn--bcher-kva.example", "XN--BCHER-KVA.example"],
  ["*.example.org", "*.example.org"],
  ["localhost", "localhost"],
  ["_tcp.example.org", "_tcp.example.org"],
] as const) {
  test(`8705-2.1.2-c: the DNS name ${registered} is equal to ${presented}`, (t) => {
    t.true(accepts({ tlsClientAuthSanDns: registered }, [{ dns: "other.example" }, { dns: presented }]));
  });
}

for (const [registered, presented] of [
  ["client-a.example.org", "*.example.org"],
  ["*.example.org", "client-a.example.org"],
  ["client-a.example.org", "client-a.example.org."],
  ["client-a.example.org", "client-a.example.org\0"],
  ["client-a.example.org", "client-a.example.org\0.evil.example"],
  ["client-a.example.org", "x.client-a.example.org"],
  ["x.client-a.example.org", "client-a.example.org"],
  ["client-a.example.org", ".client-a.example.org"],
  ["client-a.example.org", " client-a.example.org"],
  ["client-a.example.org", "client-a.example.org\n"],
  ["xn--bcher-kva.example", "b\u00FCcher.example"],
  ["kelvin.example", Buffer.from("\u212Aelvin.example").toString("latin1")],
] as const) {
  test(`8705-2.1.2-c: the DNS name ${registered} is not ${JSON.stringify(presented)}`, (t) => {
    t.false(accepts({ tlsClientAuthSanDns: registered }, [{ dns: presented }]));
  });
}

for (const registered of ["", ".", "a..b", ".a", "a.", "client-a.example.org.", "bücher.example", "a\0.example", "a b"]
  .concat(["-a.example", "a-.example", "*", "a.*.example", "*a.example", "a*", "a".repeat(64), "a/b", "a:443", "a@b"])
  .concat(["a.".repeat(127) + "a", "\u212Aelvin.example", "https://a.example"])) {
  test(`8705-2.1.2-c: the DNS name ${JSON.stringify(registered).slice(0, 40)} is refused at registration`, (t) => {
    t.throws(() => readSubjectExpectation({ tlsClientAuthSanDns: registered }), {
      instanceOf: TypeError,
      code: "ERR_SUBJECT_EXPECTATION",
      message: /^tlsClientAuthSanDns is not a DNS name\.$/,
    });
  });
}

const registeredUri = "https://client-a.example.org/path?q=1#f";

test("8705-2.1.2-d: a URI matches itself, to the octet", (t) => {
  t.true(accepts({ tlsClientAuthSanUri: registeredUri }, [{ uri: "urn:x:y" }, { uri: registeredUri }]));
  t.true(accepts({ tlsClientAuthSanUri: "urn:uuid:2b4f" }, [{ uri: "urn:uuid:2b4f" }]));
  t.true(accepts({ tlsClientAuthSanUri: "spiffe://a.example/b" }, [{ uri: "spiffe://a.example/b" }]));
});

for (const presented of [
  "https://client-a.example.org/path?q=1",
  "https://client-a.example.org/path?q=1#ff",
  "https://client-a.example.org/",
  "HTTPS://client-a.example.org/path?q=1#f",
  "https://CLIENT-A.example.org/path?q=1#f",
  "https://client-a.example.org:443/path?q=1#f",
  "https://client-a.example.org/p%61th?q=1#f",
  "https://client-a.example.org/./path?q=1#f",
  `${registeredUri}\0`,
  ` ${registeredUri}`,
]) {
  test(`8705-2.1.2-d: the URI ${registeredUri} is not ${JSON.stringify(presented)}`, (t) => {
    t.false(accepts({ tlsClientAuthSanUri: registeredUri }, [{ uri: presented }]));
  });
}

for (const registered of [
  "",
  "client-a",
  "/path",
  "//host/path",
  "1:x",
  "https:",
  "https://a b",
  "https://ä.example/",
  "x:\0",
]) {
  test(`8705-2.1.2-d: the URI ${JSON.stringify(registered)} is refused at registration`, (t) => {
    t.throws(() => readSubjectExpectation({ tlsClientAuthSanUri: registered }), { code: "ERR_SUBJECT_EXPECTATION" });
  });
}

for (const spelling of [
  "2001:db8::1",
  "2001:DB8::1",
  "2001:db8:0:0:0:0:0:1",
  "2001:0db8:0000:0000:0000:0000:0000:0001",
  "2001:db8::0:1",
  "2001:db8::0.0.0.1",
]) {
  test(`8705-2.1.2-e: ${spelling} matches the 16 octets of 2001:db8::1`, (t) => {
    const octets = Buffer.from("20010db8000000000000000000000001", "hex");
    t.true(accepts({ tlsClientAuthSanIp: spelling }, [{ ip: octets }]));
    t.false(accepts({ tlsClientAuthSanIp: spelling }, [{ ip: "2001:db8::2" }]));
  });
}

test("8705-2.1.2-e: an IPv4 address and the IPv6 address that maps it are two", (t) => {
  const [four, mapped] = [Buffer.of(1, 2, 3, 4), Buffer.from("00000000000000000000ffff01020304", "hex")];
  t.true(accepts({ tlsClientAuthSanIp: "1.2.3.4" }, [{ ip: four }]));
  t.true(accepts({ tlsClientAuthSanIp: "::ffff:1.2.3.4" }, [{ ip: mapped }]));
  t.true(accepts({ tlsClientAuthSanIp: "::FFFF:102:304" }, [{ ip: mapped }]));
  t.false(accepts({ tlsClientAuthSanIp: "::ffff:1.2.3.4" }, [{ ip: four }]));
  t.false(accepts({ tlsClientAuthSanIp: "1.2.3.4" }, [{ ip: mapped }]));
});

for (const octets of ["", "010203", "0102030405", "01020304ffffff00", `01020304${"00".repeat(13)}`]) {
  test(`8705-2.1.2-e: an entry of ${octets.length / 2} octets is no address`, (t) => {
    const raw = issue({ san: [{ ip: Buffer.from(octets, "hex") }] });
    t.deepEqual(readSubject(raw).san.ip, []);
    t.false(checkSubject(readSubjectExpectation({ tlsClientAuthSanIp: "1.2.3.4" }), raw));
  });
}

for (const registered of [
  "",
  "010.0.0.1",
  "1.2.3",
  "1.2.3.256",
  "1.2.3.4.5",
  "0x1.2.3.4",
  "1.2.3.4/32",
  " 1.2.3.4",
  "16909060",
]
  .concat([
    "fe80::1%eth0",
    "[2001:db8::1]",
    "2001:db8::1/128",
    "2001:db8",
    ":::",
    "1::2::3",
    "12345::",
    "g::1",
    "::1.2.3.04",
  ])
  .concat(["1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8::", "1:2:3:4:5:6:7::8", ":1:2:3:4:5:6:7:8", "::1:"])
  .concat(["1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", "a.example"])) {
  test(`8705-2.1.2-e: the IP address ${JSON.stringify(registered)} is refused at registration`, (t) => {
    t.throws(() => readSubjectExpectation({ tlsClientAuthSanIp: registered }), { code: "ERR_SUBJECT_EXPECTATION" });
  });
}

test("8705-2.1.2-f: the domain of an e-mail address has no case, its local part has", (t) => {
  const registered = { tlsClientAuthSanEmail: "Ann.B@Mail.Example.org" };
  t.true(accepts(registered, [{ email: "Ann.B@mail.example.ORG" }]));
  t.false(accepts(registered, [{ email: "ann.b@Mail.Example.org" }]));
  t.false(accepts(registered, [{ email: "Ann.B@example.org" }]));
  t.false(accepts(registered, [{ email: "Ann.B" }]));
  t.false(accepts(registered, [{ email: "Mail.Example.org" }]));
  t.false(accepts(registered, [{ email: "@Mail.Example.org" }]));
  t.false(accepts(registered, [{ email: "Ann.B@Mail.Example.org." }]));
  t.false(accepts(registered, [{ email: "Ann.B@Mail.Example.org\0" }]));
  t.false(accepts(registered, [{ email: "Ann.B\0@Mail.Example.org" }]));
  t.false(accepts(registered, [{ email: "evil@evil.example,Ann.B@Mail.Example.org" }]));
  t.false(accepts(registered, [{ email: "Ann.B@evil.example@Mail.Example.org" }]));
});

for (const registered of [
  "",
  "a",
  "@",
  "a@",
  "@a.example",
  "a@a.example.",
  "a@*.example",
  "a b@a.example",
  "ä@a.example",
  "a@ä.example",
]) {
  test(`8705-2.1.2-f: the e-mail address ${JSON.stringify(registered)} is refused at registration`, (t) => {
    t.throws(() => readSubjectExpectation({ tlsClientAuthSanEmail: registered }), { code: "ERR_SUBJECT_EXPECTATION" });
  });
}

for (const registered of ["", "client-a", "CN=a,", "CN=a;O=b", 'CN="a"', "XYZ=a", "CN=#0c0261"]) {
  test(`8705-2.1.2-b: the DN ${JSON.stringify(registered)} is refused at registration`, (t) => {
    t.throws(() => readSubjectExpectation({ tlsClientAuthSubjectDn: registered }), {
      instanceOf: TypeError,
      code: "ERR_SUBJECT_EXPECTATION",
      message: /^tlsClientAuthSubjectDn: Not a distinguished name \(RFC 4514\)/,
    });
  });
}

test("a registration names exactly one subject", (t) => {
  const exactlyOne = { instanceOf: TypeError, code: "ERR_SUBJECT_EXPECTATION", message: /^Exactly one of / };
  const all = {
    tlsClientAuthSubjectDn: "CN=a",
    tlsClientAuthSanDns: "a.example",
    tlsClientAuthSanUri: "urn:a",
    tlsClientAuthSanIp: "192.0.2.1",
    tlsClientAuthSanEmail: "a@a.example",
  };
  t.throws(() => readSubjectExpectation({}), exactlyOne);
  t.throws(() => readSubjectExpectation({ tlsClientAuthSanDns: undefined }), exactlyOne);
  t.throws(() => readSubjectExpectation(all), exactlyOne);
  t.throws(
    () => readSubjectExpectation({ tlsClientAuthSubjectDn: "CN=a", tlsClientAuthSanDns: "a.example" }),
    exactlyOne,
  );
  t.throws(() => readSubjectExpectation({ tlsClientAuthSubjectDn: "CN=a", tlsClientAuthSanDns: "" }), exactlyOne);
  t.is(readSubjectExpectation({ tlsClientAuthSanDns: "a.example", tlsClientAuthSubjectDn: undefined }).kind, "sanDns");
});

test("a refused registration does not quote the value", (t) => {
  for (const name of ["SubjectDn", "SanDns", "SanUri", "SanIp", "SanEmail"] as const) {
    const error = t.throws(() => readSubjectExpectation({ [`tlsClientAuth${name}`]: "secret value\0" }));
    t.notRegex(error.message, /secret/);
  }
});

test("invalid entries are left out, the others stay", (t) => {
  const { san } = readSubject(
    issue({
      san: [
        { dns: "a\0.example" },
        { dns: "a.example" },
        { uri: "urn:\u00E4" },
        { uri: "urn:a" },
        { email: "a@\x80" },
        { email: "a@a.example" },
        { ip: Buffer.of(1) },
        { ip: "192.0.2.1" },
        { der: element(0x88, Buffer.of(42)) },
        { der: element(0xa0, Buffer.of(6, 1, 42), element(0xa0, element(0x0c, Buffer.from("x")))) },
      ],
    }),
  );
  t.deepEqual([san.dns, san.uri, san.email], [["a.example"], ["urn:a"], ["a@a.example"]]);
  t.deepEqual(
    san.ip.map((ip) => Buffer.from(ip).toString("hex")),
    ["c0000201"],
  );
});

test("a certificate without subjectAltName has no entries, one without subject an empty name", (t) => {
  t.deepEqual(readSubject(issue({})).san, { dns: [], uri: [], email: [], ip: [] });
  const raw = issue({ subject: "", san: [{ dns: "a.example" }] });
  t.deepEqual(readSubject(raw).distinguishedName.rdns, []);
  t.true(checkSubject(readSubjectExpectation({ tlsClientAuthSanDns: "a.example" }), raw));
  t.false(checkSubject(readSubjectExpectation({ tlsClientAuthSubjectDn: "CN=a" }), raw));
});

test("a version 1 certificate has its subject where it should be", async (t) => {
  const vectors = await readFile(new URL("../vectors/kat.json", import.meta.url), "utf8");
  const [rfc8705] = (JSON.parse(vectors) as { "x5t#S256": { pem: string }[] })["x5t#S256"];
  const { raw } = new X509Certificate(rfc8705?.pem ?? "");
  t.true(checkSubject(readSubjectExpectation({ tlsClientAuthSubjectDn: "CN=mtls" }), raw));
  t.false(checkSubject(readSubjectExpectation({ tlsClientAuthSubjectDn: "CN=mtls2" }), raw));
});

const subjectAltName = "2.5.29.17";
const goodNames = generalNames([{ dns: "a.example" }]);

for (const [what, request] of Object.entries({
  "two subjectAltName extensions": {
    san: [{ dns: "a.example" }],
    extensions: [{ oid: subjectAltName, value: goodNames }],
  },
  "octets after the names": {
    extensions: [{ oid: subjectAltName, value: Buffer.concat([goodNames, Buffer.of(0)]) }],
  },
  "a name in pieces": {
    san: [{ dns: "a.example" }, { der: element(0xa2, element(0x16, Buffer.from("in-pieces.example"))) }],
  },
  "names cut short": { extensions: [{ oid: subjectAltName, value: goodNames.subarray(0, -1) }] },
  "names in a BER form": {
    extensions: [{ oid: subjectAltName, value: Buffer.concat([Buffer.of(0x30, 0x81, 11), goodNames.subarray(2)]) }],
  },
  "names that are no SEQUENCE": { extensions: [{ oid: subjectAltName, value: element(0x31) }] },
  "a subject with an empty RDN": { subject: [[]], san: [{ dns: "a.example" }] },
} satisfies Record<string, Partial<CertificateRequest>>)) {
  test(`a certificate with ${what} is for no one`, (t) => {
    const raw = issue(request);
    t.throws(() => readSubject(raw), { instanceOf: MalformedCertificate });
    t.false(checkSubject(readSubjectExpectation({ tlsClientAuthSanDns: "a.example" }), raw));
    t.false(checkSubject(readSubjectExpectation({ tlsClientAuthSubjectDn: "CN=client-a,O=Example" }), raw));
  });
}

for (const [what, raw] of Object.entries({
  nothing: Buffer.alloc(0),
  "an empty SEQUENCE": sequence(),
  "a SEQUENCE of little": sequence(sequence(element(0x02, Buffer.of(1)))),
})) {
  test(`${what} is a certificate for no one`, (t) => {
    t.throws(() => readSubject(raw), { instanceOf: MalformedCertificate });
    t.false(checkSubject(readSubjectExpectation({ tlsClientAuthSanDns: "a.example" }), raw));
  });
}

test("any change to a certificate's octets is read or refused, never thrown at", (t) => {
  const expected = readSubjectExpectation({ tlsClientAuthSubjectDn: "CN=someone-else" });
  fc.assert(
    fc.property(fc.nat({ max: clientA.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const octets = Buffer.from(clientA);
      octets[at] = (octets[at] ?? 0) ^ mask;
      return !checkSubject(expected, octets);
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test("another reader of certificates finds the same subject and the same names", (t) => {
  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
  const entry: fc.Arbitrary<SubjectAltName> = fc.oneof(
    label.map((one) => ({ dns: `${one}.example` })),
    label.map((one) => ({ uri: `urn:${one}` })),
    label.map((one) => ({ email: `${one}@a.example` })),
    fc.ipV4().map((ip) => ({ ip })),
  );
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 6 }), label, (san, cn) => {
      const { der } = createSelfSigned({ subject: `CN=${cn},O=Acme,C=DE`, san, key: keyPair });
      const { distinguishedName, san: ours } = readSubject(der);
      const other = new PeculiarCertificate(der);
      const theirs = other.getExtension(SubjectAlternativeNameExtension)?.names.toJSON() ?? [];
      const valuesOf = (type: string): string[] => theirs.filter((one) => one.type === type).map((one) => one.value);
      t.deepEqual([ours.dns, ours.uri, ours.email], [valuesOf("dns"), valuesOf("url"), valuesOf("email")]);
      t.deepEqual(
        ours.ip.map((ip) => ip.join(".")),
        valuesOf("ip"),
      );
      // It prints the certificate's order, which RFC 4514 reverses.
      const printed = other.subject.split(", ").reverse().join(",");
      t.true(matchesDistinguishedName(readDistinguishedName(printed), distinguishedName));
    }),
    { numRuns: 50 },
  );
});

test("a certificate that is larger than those of clients is for no one", (t) => {
  const dn = readSubjectExpectation({ tlsClientAuthSubjectDn: "CN=a" });
  const san = readSubjectExpectation({ tlsClientAuthSanDns: "a.example" });
  const fits = issue({ subject: "CN=a", san: [{ dns: "a.example" }, { dns: `${"b".repeat(7000)}.example` }] });
  t.true(checkSubject(dn, fits) && checkSubject(san, fits));
  const large = issue({ subject: "CN=a", san: [{ dns: "a.example" }, { dns: `${"b".repeat(8192)}.example` }] });
  t.false(checkSubject(dn, large) || checkSubject(san, large));
  t.throws(() => readSubject(large), { instanceOf: MalformedCertificate });
});
