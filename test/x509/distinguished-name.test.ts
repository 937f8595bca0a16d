import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { prepareString } from "../../src/x509/attribute-value.ts";
import { MalformedDer } from "../../src/x509/der.ts";
import { matchesDistinguishedName, readName } from "../../src/x509/distinguished-name.ts";
import { readCertificate } from "../../src/x509/read-certificate.ts";
import { MalformedDistinguishedName, readDistinguishedName } from "../../src/x509/read-distinguished-name.ts";
import { respellDistinguishedName } from "../../src/x509/respell-distinguished-name.ts";
import { readSubject } from "../../src/x509/subject.ts";
import { createSelfSigned } from "../support/certificates.ts";
import { type Attribute, element, name, type NameSource, type StringType, text } from "../support/der-writer.ts";

const matches = (registered: string, presented: NameSource): boolean =>
  matchesDistinguishedName(readDistinguishedName(registered), readName(name(presented)));

const cn = (value: string | Uint8Array, as?: StringType): NameSource => [
  [as === undefined ? { type: "CN", value } : { type: "CN", value, as }],
];
const hexOf = (octets: Uint8Array): string => `#${Buffer.from(octets).toString("hex")}`;
const bitString = element(0x03, Buffer.of(0, 0x05));

const acme: NameSource = [
  [{ type: "C", value: "DE" }],
  [{ type: "O", value: "Acme, Inc." }],
  [
    { type: "CN", value: "client-a" },
    { type: "UID", value: "7" },
  ],
];

const equal: Record<string, readonly [registered: string, presented: NameSource]> = {
  "itself, most specific first": ["CN=client-a+UID=7,O=Acme\\, Inc.,C=DE", acme],
  "the attributes of one RDN in another order": ["UID=7+CN=client-a,O=Acme\\, Inc.,C=DE", acme],
  "capitals instead of small letters": ["CN=CLIENT-A+UID=7,O=ACME\\, INC.,C=de", acme],
  "attribute types in another case": ["cn=client-a+uid=7,o=Acme\\, Inc.,c=DE", acme],
  "blanks around the separators": ["CN = client-a + UID=7 , O=Acme\\, Inc., C=DE", acme],
  "two blanks for one": ["CN=client  a", cn("client a")],
  "one blank for two": ["CN=client a", cn("client   a")],
  "blanks at the ends": ["CN=\\ client a\\ ", cn("client a")],
  "blanks at the ends of the certificate's": ["CN=client a", cn("  client a ")],
  "a tabulator for a blank": ["CN=client\\09a", cn("client a")],
  "a no-break space for a blank": ["CN=client\\C2\\A0a", cn("client a")],
  "UTF8String as PrintableString": ["CN=client a", cn("client a", "printable")],
  "UTF8String as IA5String": ["CN=client a", cn("client a", "ia5")],
  "UTF8String as TeletexString": ["CN=Zoë", cn("Zoë", "teletex")],
  "UTF8String as BMPString": ["CN=Zoë", cn("Zoë", "bmp")],
  "UTF8String as UniversalString": ["CN=𝒁oë", cn("𝒁oë", "universal")],
  "an IA5String, capitals and all": [
    "emailAddress=A@Example.ORG",
    [[{ type: "emailAddress", value: "a@example.org" }]],
  ],
  "a domain component": ["DC=Example,DC=org", [[{ type: "DC", value: "org" }], [{ type: "DC", value: "example" }]]],
  "an OID for a short name": ["2.5.4.3=client a", cn("client a")],
  "#hex of a UTF8String": [`CN=${hexOf(text("utf8", "client a"))}`, cn("client a")],
  "#hex of a PrintableString in other case": [`CN=${hexOf(text("printable", "CLIENT A"))}`, cn("client a")],
  "an OID and #hex in capitals": [`2.5.4.3=${hexOf(text("utf8", "client a")).toUpperCase()}`, cn("client a")],
  "#hex of what is no string": [`2.5.4.45=${hexOf(bitString)}`, [[{ type: "2.5.4.45", value: bitString }]]],
  "an OID with the prefix of old": ["OID.2.5.4.3=client a", cn("client a")],
  "an OID with the prefix of old in small letters": [
    "oid.2.5.4.97=PSDES-1",
    [[{ type: "2.5.4.97", value: "PSDES-1" }]],
  ],
  "an empty value": ["CN=", cn("")],
  "an empty value before a comma": ["CN=,O=Acme", [[{ type: "O", value: "Acme" }], [{ type: "CN", value: "" }]]],
  "an empty value before a plus": [
    "O=+CN=a",
    [
      [
        { type: "CN", value: "a" },
        { type: "O", value: "" },
      ],
    ],
  ],
  "an empty value as #hex": ["CN=#0C00", cn("")],
  "an empty value and a blank": ["CN=", cn(" ")],
  "a state by the name that Windows and Java print": ["S=Berlin", [[{ type: "2.5.4.8", value: "Berlin" }]]],
  "a given name by the name that Windows prints": ["G=Ann", [[{ type: "2.5.4.42", value: "Ann" }]]],
  "initials by the name that Windows prints": ["I=AB", [[{ type: "2.5.4.43", value: "AB" }]]],
  "a generation by the name that Java prints": ["GENERATION=III", [[{ type: "2.5.4.44", value: "III" }]]],
  "a qualifier by the name that BouncyCastle prints": ["DNQ=7", [[{ type: "2.5.4.46", value: "7" }]]],
  "a title": ["T=Dr", [[{ type: "2.5.4.12", value: "Dr" }]]],
  "a surname": ["SN=Lee", [[{ type: "2.5.4.4", value: "Lee" }]]],
  "a serial number": ["SERIALNUMBER=7", [[{ type: "2.5.4.5", value: "7" }]]],
  "an e-mail address by its short name": ["E=a@example.org", [[{ type: "emailAddress", value: "a@example.org" }]]],
  "mail, which is another attribute than emailAddress": [
    "mail=a@example.org",
    [[{ type: "0.9.2342.19200300.100.1.3", value: "a@example.org" }]],
  ],
  "an unstructured name": ["unstructuredName=x", [[{ type: "1.2.840.113549.1.9.2", value: "x" }]]],
  "an unstructured address": ["unstructuredAddress=x", [[{ type: "1.2.840.113549.1.9.8", value: "x" }]]],
  "an OID without a short name": ["1.3.6.1.4.1.99999.1=x", [[{ type: "1.3.6.1.4.1.99999.1", value: "X" }]]],
  "an OID with a great number": ["2.999.4294967296=x", [[{ type: "2.999.4294967296", value: "x" }]]],
  "every escaped character": ['CN=\\"\\+\\,\\;\\<\\>\\\\\\#\\=\\ x', cn('"+,;<>\\#= x')],
  "escaped octets": ["CN=\\22\\2B\\2c\\3B\\3C\\3e\\5C", cn('"+,;<>\\')],
  "escaped octets of one character": ["CN=Lu\\C4\\8Di\\C4\\87", cn("Lučić")],
  "# and = that need no escape": ["CN=a#b=c", cn("a#b=c")],
  "a composed and a decomposed letter": ["CN=Zoë", cn("Zoe\u0308")],
  "letters of full width": ["CN=ａｃｍｅ", cn("acme")],
  "a sharp s and its capitals": ["CN=STRASSE", cn("Straße")],
  "a sigma in the middle and at the end": ["CN=ΟΔΟΣ", cn("οδος")],
  "letters beyond the basic plane": ["CN=𐐀", cn("𐐨")],
};

for (const [what, [registered, presented]] of Object.entries(equal)) {
  test(`8705-2.1-c: equal: ${what}`, (t) => {
    t.true(matches(registered, presented));
  });
}

const unequal: Record<string, readonly [registered: string, presented: NameSource]> = {
  "RDNs in reversed order": ["C=DE,O=Acme\\, Inc.,CN=client-a+UID=7", acme],
  "one RDN of two attributes and two RDNs": ["O=Acme+CN=x", "O=Acme,CN=x"],
  "two RDNs and one RDN of two attributes": ["O=Acme,CN=x", "O=Acme+CN=x"],
  "an RDN more in the certificate": ["CN=x,O=Acme", "CN=x,O=Acme,C=DE"],
  "an RDN more at the certificate's other end": ["O=Acme", "CN=x,O=Acme"],
  "an RDN less in the certificate": ["CN=x,O=Acme,C=DE", "CN=x,O=Acme"],
  "an attribute less in an RDN": ["CN=client-a,O=Acme\\, Inc.,C=DE", acme],
  "an attribute twice in an RDN": ["CN=x+CN=x", "CN=x"],
  "a prefix": ["CN=client", "CN=client-a"],
  "an extension": ["CN=client-a", "CN=client"],
  "a value that has ,CN= in it": ["CN=x,O=Acme", [[{ type: "O", value: "Acme,CN=x" }]]],
  "a value that has +CN= in it": ["O=Acme+CN=x", [[{ type: "O", value: "Acme+CN=x" }]]],
  "a value that has / in it": ["O=Acme,CN=x", [[{ type: "CN", value: "x/O=Acme" }]]],
  "another type": ["CN=x", "OU=x"],
  "a type that its OID only begins like": ["2.5.4.3=x", [[{ type: "2.5.4.3.1", value: "x" }]]],
  "no blank and a blank": ["CN=clienta", cn("client a")],
  "letters with and without their accent": ["CN=Zoe", cn("Zoë")],
  "an i and a dotless i": ["CN=ill", cn("ıll")],
  "a Latin and a Cyrillic a": ["CN=a", cn("\u0430")],
  "a NUL within": ["CN=client-a", cn("client-a\0.example.org")],
  "a NUL at the end": ["CN=client-a", cn("client-a\0")],
  "a soft hyphen within": ["CN=clienta", cn("client\u00ADa")],
  "a character of no width within": ["CN=clienta", cn("client\u200Ba")],
  "a mark that turns the direction": ["CN=clienta", cn("client\u202Ea")],
  "invalid UTF-8": ["CN=client", cn(element(0x0c, Buffer.from("client\xff", "latin1")))],
  "a PrintableString beyond ASCII": ["CN=Zoë", cn(element(0x13, Buffer.from("Zoë", "latin1")))],
  "a BMPString of an odd length": ["CN=a", cn(element(0x1e, Buffer.of(0, 0x61, 0)))],
  "a UniversalString of an odd length": ["CN=a", cn(element(0x1c, Buffer.of(0, 0, 0, 0x61, 0)))],
  "a UniversalString beyond Unicode": ["CN=a", cn(element(0x1c, Buffer.of(0, 0x11, 0, 0)))],
  "a BMPString with half a pair": ["CN=a", cn("a\uD800", "bmp")],
  "a string and an OCTET STRING of it": ["CN=abc", cn(element(0x04, Buffer.from("abc")))],
  "other types by all but their octets": [
    `2.5.4.45=${hexOf(bitString)}`,
    [[{ type: "2.5.4.45", value: element(0x03, Buffer.of(0, 0x04)) }]],
  ],
  "an empty name": ["CN=x", ""],
  "an empty value and no attribute": ["CN=,O=Acme", "O=Acme"],
  "an empty value and one that is not": ["CN=", cn("client-a")],
  "an empty value and a NUL": ["CN=", cn("\0")],
  "an empty value of another type": ["CN=", "O="],
  "mail and emailAddress": ["mail=a@example.org", [[{ type: "emailAddress", value: "a@example.org" }]]],
  "SN and a serial number": ["SN=7", [[{ type: "2.5.4.5", value: "7" }]]],
};

for (const [what, [registered, presented]] of Object.entries(unequal)) {
  test(`8705-2.1-c: unequal: ${what}`, (t) => {
    t.false(matches(registered, presented));
  });
}

test("a value that cannot be compared is not even equal to itself", (t) => {
  const odd = readName(name(cn("a\0")));
  t.false(matchesDistinguishedName(odd, odd));
});

test("an empty name is not even equal to itself", (t) => {
  const empty = readName(name(""));
  t.false(matchesDistinguishedName(empty, empty));
});

const malformed: Record<string, string> = {
  nothing: "",
  blanks: "  ",
  "no attribute": "client-a",
  "no type": "=client-a",
  "an attribute type not known": "XYZ=client-a",
  "a type with a blank in it": "C N=client-a",
  "an OID with a leading zero": "2.5.04.3=client-a",
  "the prefix of old before a name": "OID.CN=client-a",
  "the prefix of old alone": "OID.=client-a",
  "the prefix of old twice": "OID.OID.2.5.4.3=client-a",
  "an empty # value": "CN=#,O=Acme",
  "what openssl prints before a name": "subject=CN=client-a",
  "an OID of one number": "2=client-a",
  "an OID out of range": "3.1=client-a",
  "an OID whose second number is out of range": "1.40=client-a",
  "an OID that ends with a dot": "2.5.4.3.=client-a",
  "a comma at the end": "CN=client-a,",
  "a comma at the beginning": ",CN=client-a",
  "two commas": "CN=client-a,,O=Acme",
  "a plus at the end": "CN=client-a+",
  "a semicolon": "CN=client-a;O=Acme",
  "a slash form": "/CN=client-a/O=Acme",
  quotes: 'CN="client-a"',
  "an angle bracket": "CN=<client-a>",
  "a backslash at the end": "CN=client-a\\",
  "an escape of what needs none": "CN=client\\-a",
  "half an escaped octet": "CN=client\\2",
  "escaped octets that are not UTF-8": "CN=client\\FF",
  "escaped octets cut within a character": "CN=client\\C3a",
  "a NUL": "CN=client\0",
  "an escaped NUL": "CN=client\\00",
  "an escaped control": "CN=client\\01",
  "half a pair": "CN=client\uD800",
  "a character of no width": "CN=client\u200Ba",
  "an invalid character": "CN=client\uFFFF",
  "a # with nothing": "CN=#",
  "a # with half an octet": "CN=#0c016",
  "a # with text": "CN=#client",
  "a # whose octets are not DER": "CN=#0c0261",
  "a # with octets after the DER": "CN=#0c016100",
  "a # and then text": "CN=#0c0161x",
  "too long a text": `CN=${"a".repeat(8190)}`,
};

for (const [what, registered] of Object.entries(malformed)) {
  test(`refuses to register ${what}`, (t) => {
    const error = t.throws(() => readDistinguishedName(registered), { instanceOf: MalformedDistinguishedName });
    t.is(error.code, "ERR_MALFORMED_DISTINGUISHED_NAME");
    t.notRegex(error.message, /client|Acme/);
  });
}

const reasons: readonly (readonly [registered: string, reason: string])[] = [
  ["", "it is empty, at character 1"],
  ["  ", "it is empty, at character 3"],
  ["client-a", "an attribute is not of the form type=value, at character 1"],
  ["O=Acme,client-a", "an attribute is not of the form type=value, at character 8"],
  ["O=Acme,", "an attribute is not of the form type=value, at character 8"],
  ["O=Acme, OID.2.05=x", "an attribute type is not a valid object identifier, at character 9"],
  [
    "O=Acme,    XYZ=client-a",
    "an attribute type is not known (write its object identifier, for example 2.5.4.97), at character 12",
  ],
  ['O="Acme"', 'a " is not escaped (values are not put in quotes; write \\"), at character 3'],
  ["CN=a;O=Acme", "a ; is not escaped (a comma separates; or write \\;), at character 5"],
  ["CN=a<b", "a < is not escaped (write \\<), at character 5"],
  ["CN=a>b", "a > is not escaped (write \\>), at character 5"],
  [
    "CN=client\\-a",
    "a \\ is not followed by two hexadecimal digits or by a character that may be escaped, at character 10",
  ],
  ["CN=a\0", "a NUL is in a value, at character 5"],
  ["CN=#0cxx", "a # value is not DER, at character 4"],
  ["CN=#client", "a # is not followed by octets in hexadecimal (or write \\#), at character 4"],
  ["CN=#0c0261", "a # value is not DER, at character 4"],
  ["CN=ab\\FF", "escaped octets are not UTF-8, at character 6"],
  [
    "O=Acme,CN=a\u200Bb",
    "a value is too long or has invisible, control or unassigned characters, which match nothing, at character 11",
  ],
  [`CN=${"a".repeat(8190)}`, "it is longer than 8192 characters, at character 8193"],
];

for (const [registered, reason] of reasons) {
  test(`explains what is wrong in ${JSON.stringify(registered.slice(0, 30))}, and where`, (t) => {
    const error = t.throws(() => readDistinguishedName(registered), { instanceOf: MalformedDistinguishedName });
    t.is(error.reason, reason);
    t.is(error.message, `Not a distinguished name (RFC 4514): ${reason}.`);
  });
}

for (const [what, der] of Object.entries({
  "a SET for the whole": element(0x31),
  "an RDN with nothing in it": element(0x30, element(0x31)),
  "an RDN that is a SEQUENCE": element(0x30, element(0x30)),
  "an attribute without a value": element(0x30, element(0x31, element(0x30, Buffer.of(6, 1, 42)))),
  "a type that is no OID": element(0x30, element(0x31, element(0x30, Buffer.of(2, 1, 42, 5, 0)))),
  "an attribute of three": element(0x30, element(0x31, element(0x30, Buffer.of(6, 1, 42, 5, 0, 5, 0)))),
})) {
  test(`refuses a certificate's name that has ${what}`, (t) => {
    t.throws(() => readName(der), { instanceOf: MalformedDer });
  });
}

const letters = fc.string({ unit: fc.constantFrom(...Array.from("abcXYZ019 -.éßΣ漢𝒁")), minLength: 1, maxLength: 12 });
const value = letters.filter((one) => one.trim() !== "");
const attribute = fc.record({
  type: fc.constantFrom("CN", "O", "OU", "L", "UID"),
  value,
  as: fc.constantFrom<StringType>("utf8", "universal"),
}) satisfies fc.Arbitrary<Attribute>;
const rdn = fc.uniqueArray(attribute, { selector: ({ type }) => type, minLength: 1, maxLength: 3 });
const rdns = fc.array(rdn, { minLength: 1, maxLength: 4 });

const escaped = (plain: string): string => plain.replaceAll(/["+,;<>\\]|^[ #]| $/g, "\\$&");
const written = (names: readonly (readonly Attribute[])[]): string =>
  names
    .map((one) => one.map((pair) => `${pair.type}=${escaped(pair.value as string)}`).join("+"))
    .reverse()
    .join(",");

test("any name equals its own text, and equality goes both ways", (t) => {
  fc.assert(
    fc.property(rdns, rdns, (one, other) => {
      const [registered, presented] = [readDistinguishedName(written(one)), readName(name(one))];
      const second = readName(name(other));
      return (
        matchesDistinguishedName(registered, presented) &&
        matchesDistinguishedName(presented, presented) &&
        matchesDistinguishedName(presented, second) === matchesDistinguishedName(second, presented)
      );
    }),
  );
  t.pass();
});

test("other case, more blanks and other string types change nothing", (t) => {
  const respelt = (original: string, blanks: number): string =>
    `${" ".repeat(blanks)}${original.toUpperCase().replaceAll(/ +/g, " ".repeat(blanks + 1))}${" ".repeat(blanks)}`;
  fc.assert(
    fc.property(rdns, fc.nat({ max: 3 }), (one, blanks) => {
      const other = one.map((pairs) =>
        pairs.toReversed().map((pair) => ({ ...pair, value: respelt(pair.value, blanks), as: "utf8" as const })),
      );
      return matchesDistinguishedName(readDistinguishedName(written(one)), readName(name(other)));
    }),
  );
  t.pass();
});

test("RDNs in any other order are another name", (t) => {
  const distinct = fc.uniqueArray(attribute, { selector: ({ type }) => type, minLength: 2, maxLength: 5 });
  const ordered = distinct.chain((pairs) =>
    fc.tuple(fc.constant(pairs), fc.shuffledSubarray(pairs, { minLength: pairs.length })),
  );
  fc.assert(
    fc.property(ordered, ([pairs, shuffled]) => {
      const sameOrder = pairs.every((pair, index) => pair === shuffled[index]);
      const registered = readDistinguishedName(written(pairs.map((pair) => [pair])));
      return matchesDistinguishedName(registered, readName(name(shuffled.map((pair) => [pair])))) === sameOrder;
    }),
  );
  t.pass();
});

test("an RDN more or less is another name", (t) => {
  fc.assert(
    fc.property(rdns, rdn, fc.nat(), (one, extra, at) => {
      const more = one.toSpliced(at % (one.length + 1), 0, extra);
      const [shorter, longer] = [readName(name(one)), readName(name(more))];
      return !matchesDistinguishedName(shorter, longer) && !matchesDistinguishedName(longer, shorter);
    }),
  );
  t.pass();
});

test("any text is read or refused, never thrown at", (t) => {
  const pieces = fc.constantFrom(
    "CN",
    "=",
    ",",
    "+",
    "\\",
    "#",
    "0c",
    "0161",
    " ",
    "a",
    '"',
    ";",
    "\0",
    "2.5.4.3",
    "é",
    "\\C3",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      try {
        return readDistinguishedName(parts.join("")).rdns.length > 0;
      } catch (error) {
        return error instanceof MalformedDistinguishedName;
      }
    }),
    { numRuns: 3000 },
  );
  t.pass();
});

for (const [written, prepared] of [
  ["Acme", "acme"],
  ["  Acme   GmbH ", "acme gmbh"],
  ["a\tb\r\nc\u2003d\u2028e", "a b c d e"],
  ["", ""],
  [" ", ""],
  ["Straße ẞ", "strasse ss"],
  ["Ⅳ ﬁ ㎏ K", "iv fi kg k"],
  ["I İ ı", "i i\u0307 ı"],
  // A blank with an accent on it is no blank (RFC 4518 §2.6.1).
  ["a  \u0301", "a  \u0301"],
] as const) {
  test(`${JSON.stringify(written)} is prepared as ${JSON.stringify(prepared)}`, (t) => {
    t.is(prepareString(written), prepared);
  });
}

for (const character of [
  "\0",
  "\u0001",
  "\u007F",
  "\u00AD",
  "\u034F",
  "\u180B",
  "\u200B",
  "\u200E",
  "\u2028\u202E",
].concat(["\u2060", "\uD800", "\uE000", "\uFDD0", "\uFE00", "\uFEFF", "\uFFFC", "\uFFFD", "\u{E0001}", "\u{E0100}"])) {
  const codePoints = Array.from(character, (one) => `U+${(one.codePointAt(0) ?? 0).toString(16)}`).join(" ");
  test(`${codePoints} can be compared with nothing`, (t) => {
    t.is(prepareString(character), undefined);
    t.is(prepareString(`a${character}b`), undefined);
  });
}

test("a prepared value is unchanged when prepared again", (t) => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const prepared = prepareString(text);
      return prepared === undefined || prepareString(prepared) === prepared;
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test("every letter is the same as its capital, as regular expressions without regard to case see it", (t) => {
  // An independent account of Unicode's simple case folding; İ alone folds to two characters here.
  const differing: string[] = [];
  for (let codePoint = 0x80; codePoint < 0x11_0000; codePoint += 1) {
    const letter = String.fromCodePoint(codePoint);
    if (!/^\p{L}$/u.test(letter) || letter.normalize("NFKC") !== letter) continue;
    for (const other of [letter.toUpperCase(), letter.toLowerCase()]) {
      if (Array.from(other).length !== 1 || other === letter) continue;
      const folded = new RegExp(`^${letter}$`, "iu").test(other);
      if (folded !== (prepareString(letter) === prepareString(other))) differing.push(letter);
    }
  }
  t.deepEqual(differing, []);
});

test("a text that is longer than any name matches nothing, before anything is normalised", (t) => {
  t.is(prepareString("a".repeat(1024)), "a".repeat(1024));
  t.is(prepareString("a".repeat(1025)), undefined);
  t.is(prepareString(`a${"\u0301".repeat(11_000)}${"\u0316".repeat(11_000)}`), undefined);
});

test("thirty accents on one letter are compared, and more match nothing", (t) => {
  t.not(prepareString(`a${"\u0301".repeat(30)}`), undefined);
  t.is(prepareString(`a${"\u0301".repeat(31)}`), undefined);
});

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
  test(`openssl's own print of ${subject} is read or respelt, and matches`, async (t) => {
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

test("every offer can be read, and every text gets one offer or no offer", (t) => {
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
