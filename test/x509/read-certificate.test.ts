import { createHash, generateKeyPairSync, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import test from "ava";
import fc from "fast-check";
import { createCertificateMemo } from "../../src/x509/certificate-memo.ts";
import { childrenOf, contentOf, encodingOf, MalformedDer, readDer } from "../../src/x509/der.ts";
import { MalformedCertificate, type MalformedCertificateReason } from "../../src/x509/malformed-certificate.ts";
import { readCertificate, readCertificates } from "../../src/x509/read-certificate.ts";
import { countElements, withBerForm } from "../support/ber.ts";
import { createAuthority, createKeyPair, createSelfSigned, type KeyKind } from "../support/certificates.ts";
import { element, integer, name, objectIdentifier, sequence, time } from "../support/der-writer.ts";

interface KnownAnswer {
  readonly source: string;
  readonly pem: string;
  readonly "x5t#S256": string;
}

const vectors = await readFile(new URL("../vectors/kat.json", import.meta.url), "utf8");
const knownAnswers = (JSON.parse(vectors) as { "x5t#S256": readonly KnownAnswer[] })["x5t#S256"];
const article = knownAnswers.find(({ source }) => source.startsWith("Authlete article"));
if (article === undefined) throw new Error("kat.json has lost the article's certificate");

const certificate = createSelfSigned({ subject: "CN=client-a,O=Example", san: [{ dns: "client-a.example.org" }] });
const { pem, der, x5tS256 } = certificate;
const body = pem.replaceAll(/-----[A-Z ]+-----|\n/g, "");
const begin = "-----BEGIN CERTIFICATE-----";
const end = "-----END CERTIFICATE-----";

test("the known answers were found", (t) => {
  t.is(knownAnswers.length, 3);
});

for (const { source, pem: text, "x5t#S256": thumbprint } of knownAnswers) {
  test(`8705-3.1-b: the known answer of ${source}, unpadded base64url`, (t) => {
    t.is(readCertificate(text).x5tS256, thumbprint);
    t.is(readCertificate(new X509Certificate(text)).x5tS256, thumbprint);
    t.regex(thumbprint, /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/);
  });
}

test("the article's certificate is the same with and without the newline at its end", (t) => {
  t.true(article.pem.endsWith("\n"));
  t.is(readCertificate(article.pem.trimEnd()).x5tS256, article["x5t#S256"]);
});

test("8705-3.1-b: fresh certificates of every kind of key give base64url of SHA-256, unpadded", (t) => {
  for (const key of ["P-256", "RSA-2048", "Ed25519"] satisfies KeyKind[]) {
    const fresh = createSelfSigned({ subject: `CN=${key}`, key });
    t.is(readCertificate(fresh.pem).x5tS256, fresh.x5tS256);
    t.is(readCertificate(fresh.der).x5tS256, fresh.x5tS256);
    t.regex(readCertificate(fresh.pem).x5tS256, /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/);
  }
});

for (const [form, text] of Object.entries({
  "PEM with a final newline": pem,
  "PEM without one": pem.trimEnd(),
  "PEM with CRLF": pem.replaceAll("\n", "\r\n"),
  "PEM with white space around it": ` \t\r\n${pem}\n\n`,
  "PEM on one line, newlines turned to blanks": pem.trimEnd().replaceAll("\n", " "),
  "PEM on one line, newlines turned to tabs": pem.replaceAll("\n", "\t"),
  "PEM on one line, newlines removed": pem.replaceAll("\n", ""),
  "PEM with every newline twice": pem.replaceAll("\n", "\n\n"),
  "PEM with its base64 in one line": `${begin}\n${body}\n${end}\n`,
})) {
  test(`reads ${form}`, (t) => {
    const read = readCertificate(text);
    t.is(read.x5tS256, x5tS256);
    t.deepEqual(Buffer.from(read.raw), der);
  });
}

for (const [form, octets] of Object.entries({
  "a Buffer": der,
  "a Uint8Array": new Uint8Array(der),
  "a view into the middle of others": Buffer.concat([Buffer.of(1, 2, 3), der, Buffer.of(4)]).subarray(3, -1),
})) {
  test(`reads DER from ${form}`, (t) => {
    const read = readCertificate(octets);
    t.is(read.x5tS256, x5tS256);
    t.deepEqual(Buffer.from(read.raw), der);
  });
}

test("reads the same values as node:crypto", (t) => {
  const read = readCertificate(new X509Certificate(der));
  t.is(read.x5tS256, x5tS256);
  t.deepEqual(Buffer.from(read.raw), der);
});

test("an expired certificate and one not yet valid have thumbprints, too", (t) => {
  for (const [notBefore, notAfter] of [
    ["1990-01-01", "1991-01-01"],
    ["2090-01-01", "2091-01-01"],
  ] as const) {
    const other = createSelfSigned({ subject: "CN=x", notBefore: new Date(notBefore), notAfter: new Date(notAfter) });
    t.is(readCertificate(other.pem).x5tS256, other.x5tS256);
  }
});

const pkcs8 = certificate.key;
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pkcs1 = privateKey.export({ type: "pkcs1", format: "pem" });
const sec1 = certificate.keyPair.privateKey.export({ type: "sec1", format: "pem" });
const encrypted = privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" });

const publicKeyInfo = certificate.keyPair.publicKey.export({ type: "spki", format: "der" });
const ecdsaWithSha256 = sequence(objectIdentifier("1.2.840.10045.4.3.2"));
const signature = element(0x03, Buffer.alloc(65));
const requestInfo = sequence(integer(Buffer.of(0)), name("CN=client-a"), publicKeyInfo, element(0xa0));
const signingRequest = sequence(requestInfo, ecdsaWithSha256, signature);
const revoked = sequence(integer(Buffer.of(1)), ecdsaWithSha256, name("CN=CA"), time(new Date("2026-01-01T00:00:00Z")));
const revocationList = sequence(revoked, ecdsaWithSha256, signature);

function asPem(label: string, octets: Uint8Array): string {
  const lines = Buffer.from(octets).toString("base64").replaceAll(/.{64}/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

/** The last character before the padding with its lowest bit, which stands for nothing, set. */
function withUnusedBit(base64: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const last = base64.replace(/=+$/, "").length - 1;
  return base64.slice(0, last) + alphabet.charAt(alphabet.indexOf(base64.charAt(last)) + 1) + base64.slice(last + 1);
}

/** A certificate whose DER has a length that leaves padding in base64: only then there are unused bits. */
const padded = ["x", "xx", "xxx"]
  .map((subject) => createSelfSigned({ subject: `CN=${subject}`, key: "Ed25519", serial: "01" }).der.toString("base64"))
  .find((base64) => base64.endsWith("="));
if (padded === undefined) throw new Error("no certificate has padding");

const refusals: Record<string, readonly [string | Uint8Array, MalformedCertificateReason]> = {
  "empty text": ["", "empty"],
  "white space": [" \r\n\t", "empty"],
  "no octets": [Buffer.alloc(0), "empty"],
  "base64 of nothing": [`${begin}\n${end}\n`, "empty"],
  "(null), as Apache says none": ["(null)", "not_pem"],
  "a hyphen": ["-", "not_pem"],
  "the markers without hyphens": [pem.replaceAll("-----", ""), "not_pem"],
  "bare base64": [body, "not_pem"],
  "base64url of its own thumbprint": [x5tS256, "not_pem"],
  "octets of PEM": [Buffer.from(pem), "not_der"],
  "a beginning and no end": [pem.replace(end, ""), "not_pem"],
  "an end and no beginning": [pem.replace(begin, ""), "not_pem"],
  "an end marker of another kind": [pem.replace(end, "-----END X509 CRL-----"), "not_pem"],
  "blanks that are not ASCII around it": [`\u00A0${pem}`, "text_outside"],
  "a byte order mark before it": [`\uFEFF${pem}`, "text_outside"],
  "text before it": [`subject=CN = client-a\n${pem}`, "text_outside"],
  "text after it": [`${pem}x`, "text_outside"],
  "a NUL after it": [`${pem}\0`, "text_outside"],
  "a comma after it": [`${pem.trimEnd()},`, "text_outside"],
  "another end after it": [pem + end, "text_outside"],
  "two blocks": [pem + createSelfSigned({ subject: "CN=b" }).pem, "several_certificates"],
  "the same block twice": [pem + pem, "several_certificates"],
  "a block within the block": [pem.replace(end, pem + end), "several_certificates"],
  "a character that is not base64": [
    pem.replace(body.slice(0, 8), `${body.slice(0, 4)}!${body.slice(5, 8)}`),
    "bad_base64",
  ],
  "a NUL in the base64": [pem.replace(body.slice(0, 8), `${body.slice(0, 7)}\0${body.slice(7, 8)}`), "bad_base64"],
  "base64url instead of base64": [`${begin}${Buffer.from(der).toString("base64url")}_-${end}`, "bad_base64"],
  "unused bits that are set": [`${begin}${withUnusedBit(padded)}${end}`, "bad_base64"],
  "missing padding": [`${begin}${padded.replace(/=+$/, "")}${end}`, "bad_base64"],
  "too much padding": [`${begin}${padded}=${end}`, "bad_base64"],
  "padding in the middle": [`${begin}${padded}${padded}${end}`, "bad_base64"],
  "headers of old PEM": [pem.replace(begin, `${begin}\nProc-Type: 4,ENCRYPTED\n`), "bad_base64"],
  "percent signs left over": [pem.trimEnd().replaceAll("\n", "%0A"), "bad_base64"],
  "one octet after it, in DER": [Buffer.concat([der, Buffer.of(0)]), "trailing_bytes"],
  "one octet after it, in PEM": [asPem("CERTIFICATE", Buffer.concat([der, Buffer.of(0)])), "trailing_bytes"],
  "two certificates in DER": [Buffer.concat([der, der]), "trailing_bytes"],
  "the last octet missing": [der.subarray(0, -1), "not_der"],
  "an indefinite length": [withBerForm(der, 0, "indefinite length"), "not_der"],
  "a length that is not minimal": [withBerForm(der, 0, "non-minimal length"), "not_der"],
  "an inner length that is not minimal, in PEM": [
    asPem("CERTIFICATE", withBerForm(der, 7, "non-minimal length")),
    "not_der",
  ],
  "a private key (PKCS #8)": [pkcs8, "private_key"],
  "a private key (PKCS #1)": [pkcs1, "private_key"],
  "a private key (SEC 1)": [sec1, "private_key"],
  "an encrypted private key": [encrypted, "private_key"],
  "a private key after the certificate": [pem + pkcs8, "private_key"],
  "a private key before the certificate": [pkcs8 + pem, "private_key"],
  "a private key under the certificate's markers": [
    asPem("CERTIFICATE", certificate.keyPair.privateKey.export({ type: "pkcs8", format: "der" })),
    "private_key",
  ],
  "a private key in DER": [privateKey.export({ type: "pkcs1", format: "der" }), "private_key"],
  "a certificate signing request": [asPem("CERTIFICATE REQUEST", signingRequest), "not_a_certificate"],
  "a certificate signing request in DER": [signingRequest, "not_a_certificate"],
  "a revocation list": [asPem("X509 CRL", revocationList), "not_a_certificate"],
  "a revocation list in DER": [revocationList, "not_a_certificate"],
  "a public key": [asPem("PUBLIC KEY", publicKeyInfo), "not_a_certificate"],
  "a certificate with OpenSSL's trust settings": [asPem("TRUSTED CERTIFICATE", der), "not_a_certificate"],
  "DER of a string": [element(0x0c, Buffer.from("certificate")), "not_a_certificate"],
  "DER of an empty SEQUENCE": [sequence(), "not_a_certificate"],
  "1 MiB of text": ["A".repeat(1_048_576), "too_large"],
  "1 MiB of PEM": [`${begin}${"A".repeat(1_048_576)}${end}`, "too_large"],
  "1 MiB of octets": [Buffer.alloc(1_048_576, 0x30), "too_large"],
  "1 MiB of blanks": [" ".repeat(1_048_576), "too_large"],
  "one character too many": [pem.padEnd(65_537), "too_large"],
};

for (const [what, [input, reason]] of Object.entries(refusals)) {
  test(`refuses ${what}: ${reason}`, (t) => {
    const error = t.throws(() => readCertificate(input), { instanceOf: MalformedCertificate });
    t.is(error.reason, reason);
  });
}

test("a refusal never quotes the input", (t) => {
  const messages = new Map<MalformedCertificateReason, string>();
  for (const [input, reason] of Object.values(refusals)) {
    const error = t.throws(() => readCertificate(input), { instanceOf: MalformedCertificate });
    // One fixed sentence a reason, whatever the input was; and nothing else travels with the error.
    t.is(error.message, messages.get(reason) ?? error.message);
    messages.set(reason, error.message);
    t.deepEqual(Object.keys(error).sort(), ["name", "reason"]);
    t.is(error.cause, undefined);
  }
  t.is(messages.size, 10);
});

test("the largest allowed text is read", (t) => {
  t.is(readCertificate(pem.padEnd(65_536)).x5tS256, x5tS256);
});

for (const [what, value] of Object.entries({
  undefined,
  null: null,
  number: 7,
  object: {},
  ArrayBuffer: new ArrayBuffer(8),
})) {
  test(`a value of another type is the caller's mistake: ${what}`, (t) => {
    t.throws(() => readCertificate(value as never), { instanceOf: TypeError, code: "ERR_INVALID_ARG_TYPE" });
  });
}

test("a certificate that carries another's PEM inside does not pass for the other", (t) => {
  // node:crypto looks for PEM before DER, anywhere in the octets, and would answer with the certificate inside.
  const carrier = createSelfSigned({ subject: [[{ type: "CN", value: `\n${pem}` }]] });
  t.is(new X509Certificate(carrier.der).fingerprint256, new X509Certificate(der).fingerprint256);
  const error = t.throws(() => readCertificate(carrier.der), { instanceOf: MalformedCertificate });
  t.is(error.reason, "not_a_certificate");
});

test("look-alikes and re-issued certificates have thumbprints of their own", (t) => {
  const authority = createAuthority({ subject: "CN=CA" });
  const keyPair = createKeyPair();
  const [first, second] = [
    authority.issue({ subject: "CN=a", key: keyPair }),
    authority.issue({ subject: "CN=a", key: keyPair }),
  ];
  t.not(readCertificate(first.pem).x5tS256, readCertificate(second.pem).x5tS256);
});

test("the same bytes are parsed once", (t) => {
  t.is(readCertificate(pem), readCertificate(pem));
  t.is(readCertificate(der), readCertificate(Buffer.from(der)));
  t.is(readCertificate(pem).raw, readCertificate(der).raw);
});

test("later changes of a caller's buffer do not change the result", (t) => {
  const mine = Buffer.from(createSelfSigned({ subject: "CN=mine" }).der);
  const before = Buffer.from(mine);
  const read = readCertificate(mine);
  mine.fill(0);
  t.deepEqual(Buffer.from(read.raw), before);
  t.throws(() => readCertificate(mine), { instanceOf: MalformedCertificate });
});

test("a refused input is refused again", (t) => {
  for (let times = 0; times < 3; times += 1)
    t.throws(() => readCertificate(pem + pem), { instanceOf: MalformedCertificate });
});

/** What the reader may say of any octets: nothing, or the SHA-256 of exactly these. */
function isHonest(input: string | Uint8Array, octets: Uint8Array): boolean {
  try {
    return readCertificate(input).x5tS256 === createHash("sha256").update(octets).digest("base64url");
  } catch (error) {
    return error instanceof MalformedCertificate;
  }
}

const corpus = [der, ...knownAnswers.map((one) => new X509Certificate(one.pem).raw)];
const anyCertificate = fc.constantFrom(...corpus);

test("whatever bits are flipped, an answer is the hash of exactly the given octets", (t) => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(anyCertificate, flips, fc.boolean(), (original, changes, inPem) => {
      const octets = Buffer.from(original);
      for (const [at, mask] of changes) octets[at % octets.length] = (octets[at % octets.length] ?? 0) ^ mask;
      return isHonest(inPem ? asPem("CERTIFICATE", octets) : octets, octets);
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test("every inverted octet gives another thumbprint or a refusal", (t) => {
  for (let at = 0; at < der.length; at += 1) {
    const octets = Buffer.from(der);
    octets[at] = (octets[at] ?? 0) ^ 0xff;
    t.true(isHonest(octets, octets), `octet ${at}`);
  }
});

test("whatever octets follow, or are missing at the end, it is no certificate", (t) => {
  fc.assert(
    fc.property(anyCertificate, fc.uint8Array({ minLength: 1, maxLength: 64 }), (original, more) => {
      t.throws(() => readCertificate(Buffer.concat([original, more])), { instanceOf: MalformedCertificate });
    }),
  );
  fc.assert(
    fc.property(anyCertificate, fc.integer({ min: 1, max: 200 }), (original, fewer) => {
      t.throws(() => readCertificate(original.subarray(0, -fewer)), { instanceOf: MalformedCertificate });
    }),
  );
});

test("a BER form of any element, at any depth, is refused", (t) => {
  for (const original of corpus) {
    const elements = countElements(original);
    t.true(elements > 25);
    for (let nth = 0; nth < elements; nth += 1) {
      for (const form of ["non-minimal length", "indefinite length"] as const) {
        const error = t.throws(() => readCertificate(withBerForm(original, nth, form)), {
          instanceOf: MalformedCertificate,
        });
        t.is(error.reason, "not_der", `${form} of element ${nth}`);
      }
    }
  }
});

test("any octets and any text are answered or refused, never thrown at", (t) => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 512 }), (octets) => isHonest(octets, octets)));
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 512 }), (text) => {
      t.throws(() => readCertificate(text), { instanceOf: MalformedCertificate });
      t.throws(() => readCertificate(begin + text + end), { instanceOf: MalformedCertificate });
    }),
  );
});

// Files that a person hands over (RFC 7468 §2).

const second = createSelfSigned({ subject: "CN=b" });
const bag = "Bag Attributes\n    friendlyName: client-a\n    localKeyID: 54 69 6D\nsubject=CN = client-a\n";

for (const [what, file, thumbprints] of [
  ["one certificate", pem, [1]],
  ["two certificates", pem + second.pem, [1, 2]],
  ["no newline between them", pem.trimEnd() + second.pem.trimEnd(), [1, 2]],
  ["the Bag Attributes of OpenSSL's PKCS #12 reader", bag + pem + bag + second.pem, [1, 2]],
  ["comments, and lines of CR and LF", `# ours\r\n\r\n${pem.replaceAll("\n", "\r\n")}\r\n# end\r\n`, [1]],
  ["a byte order mark", `\uFEFF${pem}`, [1]],
  ["the same certificate twice", pem + pem, [1, 1]],
] as const) {
  test(`of a file, the certificates are read: ${what}`, (t) => {
    const expected = thumbprints.map((which) => readCertificate(which === 1 ? pem : second.pem).x5tS256);
    t.deepEqual(
      readCertificates(file).map(({ x5tS256 }) => x5tS256),
      expected,
    );
  });
}

for (const [what, file, reason, place] of [
  ["nothing", "", "empty"],
  ["blanks", " \r\n", "empty"],
  ["text without a block", bag, "not_pem"],
  ["a private key", second.key, "private_key"],
  ["a private key behind a certificate", pem + second.key, "private_key"],
  ["a block that is cut short", pem.slice(0, -30), "not_pem", 1],
  ["a second block that is cut short", pem + second.pem.slice(0, -30), "not_pem", 2],
  ["a first block without its end", pem.replace(end, "") + second.pem, "not_pem", 1],
  [
    "a public key among certificates",
    `${pem}-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n`,
    "not_a_certificate",
    2,
  ],
  ["OpenSSL's TRUSTED CERTIFICATE", pem.replaceAll("CERTIFICATE", "TRUSTED CERTIFICATE"), "not_a_certificate", 1],
  ["base64 that is not canonical", pem.replace("MI", "M!I"), "bad_base64", 1],
  ["a marker without a label", "-----BEGIN -----", "not_a_certificate", 1],
] as const) {
  test(`a file is refused: ${what}, ${reason}`, (t) => {
    const error = t.throws(() => readCertificates(file), { instanceOf: MalformedCertificate });
    t.is(error.reason, reason);
    t.is(error.place, place);
  });
}

test("returns the values that were set, and nothing else", (t) => {
  const memo = createCertificateMemo<number>({ maxEntries: 2, maxOctets: 100 });
  memo.set("a", 1, 10);
  t.is(memo.get("a"), 1);
  t.is(memo.get("b"), undefined);
});

test("drops the least recently used entries when there are too many", (t) => {
  const memo = createCertificateMemo<number>({ maxEntries: 2, maxOctets: 100 });
  memo.set("a", 1, 10);
  memo.set("b", 2, 10);
  memo.get("a");
  memo.set("c", 3, 10);
  t.deepEqual([memo.get("a"), memo.get("b"), memo.get("c")], [1, undefined, 3]);
});

test("drops as many as it takes when they cost too much together", (t) => {
  const memo = createCertificateMemo<number>({ maxEntries: 10, maxOctets: 100 });
  memo.set("a", 1, 40);
  memo.set("b", 2, 40);
  memo.set("c", 3, 90);
  t.deepEqual([memo.get("a"), memo.get("b"), memo.get("c")], [undefined, undefined, 3]);
});

test("keeps nothing that is too large for it, and nothing else goes for it", (t) => {
  const memo = createCertificateMemo<number>({ maxEntries: 10, maxOctets: 100 });
  memo.set("a", 1, 40);
  memo.set("b", 2, 101);
  t.deepEqual([memo.get("a"), memo.get("b")], [1, undefined]);
});

test("an entry set again costs once", (t) => {
  const memo = createCertificateMemo<number>({ maxEntries: 10, maxOctets: 100 });
  for (let times = 0; times < 10; times += 1) memo.set("a", times, 50);
  memo.set("b", 2, 50);
  t.deepEqual([memo.get("a"), memo.get("b")], [9, 2]);
});

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

for (const [what, octets] of Object.entries({
  "an empty SEQUENCE": "30 00",
  "a NULL": "05 00",
  "elements in a row": "30 06 02 01 05 01 01 ff",
  "a negative INTEGER": "02 01 ff",
  "an INTEGER that needs its zero": "02 02 00 80",
  "a tag of its context, constructed": "a0 03 02 01 02",
  "a tag of its context, primitive": "82 01 61",
  "octets that look like BER inside an OCTET STRING": "04 02 30 80",
})) {
  test(`reads ${what}`, (t) => {
    t.is(readDer(hex(octets)).end, hex(octets).length);
  });
}

for (const [what, octets] of Object.entries({
  nothing: "",
  "a tag alone": "30",
  "a length cut short": "30 82 01",
  "content cut short": "30 02 05",
  "a child longer than its parent": "30 03 04 02 61",
  "an indefinite length": "30 80 00 00",
  "an indefinite length inside": "30 06 30 80 05 00 00 00",
  "the long form of a short length": "30 81 01 05",
  "a length with a leading zero": "04 82 00 80",
  "a length of four octets": "04 84 00 00 00 01",
  "the reserved length": "30 ff",
  "a tag of more octets": "1f 81 00 00",
  "a high tag number in its context": "bf 21 00",
  "an end-of-contents mark": "30 02 00 00",
  "a SEQUENCE that is primitive": "10 00",
  "a SET that is primitive": "30 02 11 00",
  "an OCTET STRING in pieces": "24 03 04 01 61",
  "a UTF8String in pieces": "2c 03 0c 01 61",
  "a BOOLEAN of another value": "01 01 01",
  "a BOOLEAN of two octets": "01 02 00 00",
  "an INTEGER of none": "02 00",
  "an INTEGER with a zero too many": "02 02 00 7f",
  "an INTEGER with ones too many": "02 02 ff 80",
})) {
  test(`refuses ${what}`, (t) => {
    const error = t.throws(() => readDer(hex(octets)), { instanceOf: MalformedDer });
    t.false(error.trailing);
  });
}

test("octets after the element are a fault of their own", (t) => {
  t.true(t.throws(() => readDer(hex("05 00 00")), { instanceOf: MalformedDer }).trailing);
});

test("nesting is bounded: 32 levels are read, 33 are not, and 20,000 do no harm", (t) => {
  const nested = (levels: number): Buffer => {
    let octets: Buffer = Buffer.alloc(0);
    for (let level = 0; level < levels; level += 1) octets = sequence(octets);
    return octets;
  };
  t.notThrows(() => readDer(nested(32)));
  t.throws(() => readDer(nested(33)), { instanceOf: MalformedDer });
  t.throws(() => readDer(nested(20_000)), { instanceOf: MalformedDer });
});

test("children, contents and encodings are those that were written", (t) => {
  const parts = [integer(hex("01 00")), element(0x04, Buffer.alloc(300, 7)), sequence(integer(hex("05")))];
  const octets = sequence(...parts);
  const children = childrenOf(octets, readDer(octets));
  t.deepEqual(
    children.map((child) => Buffer.from(encodingOf(octets, child))),
    parts,
  );
  t.deepEqual(Buffer.from(contentOf(octets, children[1] ?? readDer(octets))), Buffer.alloc(300, 7));
});

test("lengths around each boundary are read as they were written", (t) => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
    const octets = element(0x04, Buffer.alloc(length));
    t.is(contentOf(octets, readDer(octets)).length, length);
  }
});

test("any octets are read or refused, and nothing is read past their end", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (octets) => {
      try {
        return readDer(octets).end === octets.length;
      } catch (error) {
        return error instanceof MalformedDer;
      }
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test("a thousand elements are read, wherever they stand, and no more", (t) => {
  const nulls = (count: number) => Array.from({ length: count }, () => Buffer.of(5, 0));
  const flat = (count: number) => sequence(...nulls(count - 1));
  const inGroups = (count: number) => sequence(...nulls((count - 1) % 10), ...tens(Math.floor((count - 1) / 10)));
  const tens = (count: number) => Array.from({ length: count }, () => sequence(...nulls(9)));
  for (const make of [flat, inGroups]) {
    t.notThrows(() => readDer(make(1000)));
    const error = t.throws(() => readDer(make(1001)), { instanceOf: MalformedDer });
    t.true(error.tooMany);
  }
});
