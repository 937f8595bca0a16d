import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "ava";
import fc from "fast-check";
import {
  readByteSequence,
  readCertificateItem,
  readBase64Chain,
  readBase64Der,
  readFlattenedPem,
  readPercentEncodedBase64,
  readPercentEncodedPem,
  readPercentEncodedPemChain,
  readBase64Sha256,
  readHexSha256,
} from "../../src/client-certificate/certificate-encodings.ts";
import type { HeaderFormat } from "../../src/client-certificate/header-source.ts";
import { onlyPair, readForwardedClientCert } from "../../src/client-certificate/proxies/envoy.ts";
import { envoy } from "../../src/resource-server/index.ts";
import { withBerForm } from "../support/ber.ts";
import { createSelfSigned } from "../support/certificates.ts";
import { loopback as from, listenFor } from "../support/header-listener.ts";
import { der, sha256Hex, vector, x5tS256 } from "./certificate-vectors.ts";

const certificates: Record<string, readonly [HeaderFormat["read"], vectorName: string]> = {
  readCertificateItem: [readCertificateItem, "rfc9440"],
  readBase64Der: [readBase64Der, "haproxy"],
  readBase64Chain: [readBase64Chain, "haproxy"],
  readPercentEncodedPem: [readPercentEncodedPem, "nginx_escaped"],
  readPercentEncodedPemChain: [readPercentEncodedPemChain, "aws_leaf"],
  readPercentEncodedBase64: [readPercentEncodedBase64, "traefik_old"],
  readFlattenedPem: [readFlattenedPem, "apache_s"],
};

const fingerprints: Record<string, HeaderFormat["read"]> = { readHexSha256, readBase64Sha256 };

/** What a header's value can be made of, as Node hands it on: Latin-1 without control characters. */
const character = fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code));
const anyText = fc.oneof(
  fc.array(character, { maxLength: 200 }).map((characters) => characters.join("")),
  fc.string({ unit: "binary" }),
  fc.base64String(),
  fc.base64String().map((base64) => `:${base64}:`),
  fc.base64String().map((base64) => `-----BEGIN CERTIFICATE-----${base64}-----END CERTIFICATE-----`),
  fc.base64String().map((base64) => `-----BEGIN+CERTIFICATE-----%0A${base64}-----END%20CERTIFICATE-----`),
);
/** One character put in, left out, or put in another's place. */
const change = fc.record({ at: fc.nat(), what: fc.constantFrom("insert", "remove", "replace"), character });

function changed(text: string, { at, what, character: one }: { at: number; what: string; character: string }): string {
  const place = at % text.length;
  return text.slice(0, place) + (what === "remove" ? "" : one) + text.slice(what === "insert" ? place : place + 1);
}

for (const [name, [read, vectorName]] of Object.entries(certificates)) {
  test(`${name} throws for nothing, and reads no certificate out of noise`, (t) => {
    const unreadable = (text: string): boolean => "unreadable" in (read(text) ?? {});
    fc.assert(fc.property(anyText, unreadable), { numRuns: 2000 });
    t.pass();
  });

  test(`${name}: a changed character is rejected or changes the thumbprint`, (t) => {
    const { value } = vector(vectorName);
    let refused = 0;
    fc.assert(
      fc.property(change, (one) => {
        const found = read(changed(value, one));
        if (found === undefined) return false;
        if ("unreadable" in found) {
          refused += 1;
          return true;
        }
        // Nobody checks the signature here: an octet changed in it is another certificate, with another thumbprint.
        const octets = Buffer.from(found.raw ?? []);
        const thumbprint = createHash("sha256").update(octets).digest("base64url");
        return found.x5tS256 === thumbprint && octets.equals(der) === (found.x5tS256 === x5tS256);
      }),
      { numRuns: 1000 },
    );
    t.true(refused > 0);
  });
}

for (const [name, read] of Object.entries(fingerprints)) {
  test(`${name} never throws, and its result is the encoded 32 octets in base64url`, (t) => {
    const octets = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((array) => Buffer.from(array));
    const written = (digest: Buffer): string => digest.toString(name === "readHexSha256" ? "hex" : "base64");
    fc.assert(
      fc.property(octets, (digest) => {
        t.deepEqual(read(written(digest)), { x5tS256: digest.toString("base64url") });
      }),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          fc.tuple(octets, change).map(([digest, one]) => changed(written(digest), one)),
        ),
        (text) => {
          const found = read(text);
          if (found === undefined || "unreadable" in found) return found !== undefined;
          const back = Buffer.from(found.x5tS256, "base64url");
          return (
            back.length === 32 && written(back).replace("=", "").toLowerCase() === text.replace("=", "").toLowerCase()
          );
        },
      ),
      { numRuns: 2000 },
    );
  });
}

test("the list of forwarded certificates throws for nothing", (t) => {
  const pieces = fc.constantFrom("Hash=", "By=", '"', "\\", ",", ";", "=", "a", " ", "Cert", "\t", "é");
  fc.assert(
    fc.property(
      fc.oneof(
        anyText,
        fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join("")),
      ),
      (text) => {
        const elements = readForwardedClientCert(text);
        return elements === undefined || (elements.length > 0 && elements.every((element) => element.length > 0));
      },
    ),
    { numRuns: 5000 },
  );
  t.pass();
});

interface Vector {
  readonly name: string;
  readonly raw: readonly [string];
  readonly must_fail?: true;
  readonly can_fail?: true;
  readonly expected?: readonly [{ readonly value: string }, []];
}

const { vectors } = JSON.parse(
  readFileSync(new URL("../vectors/structured-field-binary.json", import.meta.url), "utf8"),
) as { readonly vectors: readonly Vector[] };

/** RFC 4648 §6, which the vectors write their octets in. */
function base32(text: string): Buffer {
  const bits = Array.from(text.replaceAll("=", ""), (character) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(character).toString(2).padStart(5, "0"),
  ).join("");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((octet) => parseInt(octet, 2)));
}

test("9440-2.1-a: byte sequences are read by the HTTP working group's vectors, and raw PEM is refused", (t) => {
  t.is(vectors.length, 14);
  t.is(vectors.filter(({ must_fail }) => must_fail).length, 9);
  for (const { name, raw, must_fail, expected } of vectors) {
    const read = readByteSequence(raw[0]);
    if (must_fail) t.is(read, undefined, name);
    else t.deepEqual(Buffer.from(read ?? "-"), base32(expected?.[0].value ?? "-"), name);
  }
  const { pem } = createSelfSigned({ subject: "CN=a" });
  for (const value of [pem, pem.replaceAll("\n", " "), pem.replaceAll("\n", ""), encodeURIComponent(pem), `:${pem}:`]) {
    t.deepEqual(readCertificateItem(value), { unreadable: "not_a_byte_sequence" });
  }
  t.like(readCertificateItem(vector("rfc9440").value), { x5tS256 });
});

test("missing padding and non-zero padding bits are accepted (RFC 8941 section 4.2.7): same bytes", (t) => {
  t.deepEqual(
    vectors.filter(({ can_fail }) => can_fail).map(({ raw }) => readByteSequence(raw[0])?.length),
    [5, 1],
  );
  const { der: octets, x5tS256: thumbprint } = createSelfSigned({ subject: "CN=a certificate with padding" });
  const padded = octets.toString("base64");
  for (const value of [padded, padded.replace(/=+$/, "")])
    t.like(readCertificateItem(`:${value}:`), { x5tS256: thumbprint });
});

test("parameters after the value are ignored, and must be parameters", (t) => {
  const { value } = vector("rfc9440");
  for (const parameters of [";a", ";a=1", ";a=?0;b=:AA==:", "; a"])
    t.like(readCertificateItem(value + parameters), { x5tS256 });
  for (const wrong of [";", ";A", ";a=", " ;a", "a", ";a=(1)"]) {
    t.deepEqual(readCertificateItem(value + wrong), { unreadable: "not_a_byte_sequence" }, wrong);
  }
});

test("other structured fields are no certificate", (t) => {
  const base64 = der.toString("base64");
  for (const value of [
    "1",
    "?1",
    '"a"',
    `"${base64}"`,
    "a",
    "@1",
    '%"a"',
    "(:AA==:)",
    "a=:AA==:",
    base64,
    `::${base64}:`,
  ]) {
    t.deepEqual(readCertificateItem(value), { unreadable: "not_a_byte_sequence" }, value.slice(0, 10));
  }
});

test("blanks around the value are not part of it (RFC 8941 section 4.2), tabs are", (t) => {
  const { value } = vector("rfc9440");
  t.like(readCertificateItem(`  ${value}  `), { x5tS256 });
  t.deepEqual(readCertificateItem(`\t${value}`), { unreadable: "not_a_byte_sequence" });
});

test("9440-x: exactly one certificate in DER: nothing after it, no BER, no two, no key, nothing else", (t) => {
  const item = (octets: Uint8Array): string => `:${Buffer.from(octets).toString("base64")}:`;
  const { keyPair } = createSelfSigned({ subject: "CN=a" });
  const read = (octets: Uint8Array): unknown =>
    (readCertificateItem(item(octets)) as { unreadable?: string }).unreadable;
  t.is(read(der), undefined);
  t.is(read(Buffer.concat([der, Buffer.of(0)])), "trailing_bytes");
  t.is(read(Buffer.concat([der, Buffer.from("\n")])), "trailing_bytes");
  t.is(read(Buffer.concat([der, der])), "trailing_bytes");
  t.is(read(withBerForm(der, 0, "non-minimal length")), "not_der");
  t.is(read(withBerForm(der, 0, "indefinite length")), "not_der");
  t.is(read(withBerForm(der, 5, "non-minimal length")), "not_der");
  t.is(read(der.subarray(0, -1)), "not_der");
  t.is(read(der.subarray(1)), "trailing_bytes");
  t.is(read(keyPair.privateKey.export({ format: "der", type: "pkcs8" })), "private_key");
  t.is(read(keyPair.privateKey.export({ format: "der", type: "sec1" })), "private_key");
  t.is(read(keyPair.publicKey.export({ format: "der", type: "spki" })), "not_a_certificate");
  t.is(read(Buffer.from(createSelfSigned({ subject: "CN=b" }).pem)), "not_der");
  t.is(read(Buffer.alloc(0)), "empty");
  t.is(read(Buffer.alloc(70_000)), "too_large");
});

const whole = { x5tS256, octets: der.length };
const thumbprintAlone = { x5tS256, octets: 0 };
const header = "X-Forwarded-Client-Cert";
const other = createSelfSigned({ subject: "CN=other" });
const otherHex = Buffer.from(other.x5tS256, "base64url").toString("hex");
const otherCert = encodeURIComponent(other.pem);
const cert = /Cert="([^"]*)"/.exec(vector("envoy_xfcc").value)?.[1] ?? "";

for (const [text, elements] of [
  ["Hash=a", [[["hash", "a"]]]],
  [
    "HASH=a;hAsH=b",
    [
      [
        ["hash", "a"],
        ["hash", "b"],
      ],
    ],
  ],
  [
    "By=a;Hash=b,By=c;Hash=d",
    [
      [
        ["by", "a"],
        ["hash", "b"],
      ],
      [
        ["by", "c"],
        ["hash", "d"],
      ],
    ],
  ],
  ["By=a, By=b,\t By=c", [[["by", "a"]], [["by", "b"]], [["by", "c"]]]],
  ['Subject="CN=a,O=b;c=d"', [[["subject", "CN=a,O=b;c=d"]]]],
  ['Subject="CN=a\\"b"', [[["subject", 'CN=a"b']]]],
  // A name that ends with a backslash, as RFC 4514 writes it: its quotes end where they should.
  [
    'Subject="CN=a\\\\";Hash=b',
    [
      [
        ["subject", "CN=a\\"],
        ["hash", "b"],
      ],
    ],
  ],
  [
    'Subject="";URI=',
    [
      [
        ["subject", ""],
        ["uri", ""],
      ],
    ],
  ],
  ["URI=spiffe://a/b?c=d", [[["uri", "spiffe://a/b?c=d"]]]],
  [
    "DNS=a;DNS=b",
    [
      [
        ["dns", "a"],
        ["dns", "b"],
      ],
    ],
  ],
] as const) {
  test(`the list is read: ${text}`, (t) => {
    t.deepEqual(readForwardedClientCert(text), elements as never);
  });
}

for (const text of [
  "",
  "Hash",
  "=a",
  ";Hash=a",
  "Hash=a;",
  "Hash=a,",
  ",Hash=a",
  "Hash=a,,Hash=b",
  "Hash=a;;By=b",
  'Subject="a',
  'Subject="a\\"',
  'Subject="a"b',
  'Subject=a"b"',
  'Subject="a" ;Hash=b',
  "Hash =a",
  "Ha-sh=a",
  `Hash=${"a;By=".repeat(1025)}b`,
  Array(33).fill("By=a").join(),
]) {
  test(`a value that is no such list is rejected: ${text.slice(0, 40)}`, (t) => {
    t.is(readForwardedClientCert(text), undefined);
  });
}

test("of a pair that is there twice there is no only one", (t) => {
  const element = [
    ["hash", "a"],
    ["uri", "b"],
    ["uri", "c"],
  ] as const;
  t.is(onlyPair(element, "hash"), "a");
  t.is(onlyPair(element, "uri"), null);
  t.is(onlyPair(element, "cert"), undefined);
});

test("the last element counts: one that a client has put before it does not", async (t) => {
  const { ask } = await listenFor(t, envoy({ from, element: "last" }));
  const forged = `Hash=${otherHex};Cert="${otherCert}"`;
  t.deepEqual(await ask([header, `${forged},By=b;Hash=${sha256Hex}`]), thumbprintAlone);
  t.deepEqual(await ask([header, `${forged},${vector("envoy_xfcc").value}`]), whole);
  t.deepEqual(await ask([header, `${vector("envoy_xfcc").value},${forged}`]), {
    x5tS256: other.x5tS256,
    octets: other.der.length,
  });
  t.deepEqual(await ask([header, `${vector("envoy_xfcc").value},By=mesh`]), { unreadable: "hash_missing" });
});

test("a quoted name with commas, semicolons and a hash adds no element and no pair", async (t) => {
  const { ask } = await listenFor(t, envoy({ from, element: "only" }));
  const subject = `CN=a\\",Hash=${otherHex};Hash=${otherHex},O=b\\\\`;
  t.deepEqual(await ask([header, `Hash=${sha256Hex};Subject="${subject}"`]), thumbprintAlone);
});

test("an unquoted URI of a certificate cannot name another certificate if one element is expected", async (t) => {
  const { ask } = await listenFor(t, envoy({ from }));
  const injected = [`x,Hash=${otherHex}`, `x;Hash=${otherHex}`, `x,By=b;Hash=${otherHex}`];
  const found = await Promise.all(injected.map((uri) => ask([header, `Hash=${sha256Hex};URI=${uri}`])));
  t.deepEqual(found, [{ unreadable: "element_count" }, { unreadable: "not_xfcc" }, { unreadable: "element_count" }]);
});

test("the hop can be chosen, and must be there", async (t) => {
  const second = await listenFor(t, envoy({ from, element: "second-to-last" }));
  t.deepEqual(await second.ask([header, `Hash=${sha256Hex},Hash=${otherHex}`]), thumbprintAlone);
  t.deepEqual(await second.ask([header, `Hash=${sha256Hex}`]), { unreadable: "element_count" });
  const only = await listenFor(t, envoy({ from, element: "only" }));
  t.deepEqual(await only.ask([header, `Hash=${sha256Hex}`]), thumbprintAlone);
  t.throws(() => envoy({ from, element: "first" as never }), { code: "ERR_INVALID_OPTION" });
  t.throws(() => envoy(undefined as never), { code: "ERR_INVALID_OPTION" });
});

test("hash and certificate must agree; each alone will do, neither is no answer", async (t) => {
  const { ask } = await listenFor(t, envoy({ from }));
  t.deepEqual(await ask([header, `Hash=${sha256Hex};Cert="${cert}"`]), whole);
  t.deepEqual(await ask([header, `hash=${sha256Hex.toUpperCase()};CERT=${cert}`]), whole);
  t.deepEqual(await ask([header, `Cert="${cert}"`]), whole);
  t.deepEqual(await ask([header, `Hash=${otherHex};Cert="${cert}"`]), { unreadable: "hash_mismatch" });
  t.deepEqual(await ask([header, `Hash=${sha256Hex};Cert="${cert.slice(0, -10)}"`]), { unreadable: "not_pem" });
  t.deepEqual(await ask([header, `Hash=${sha256Hex};Cert=""`]), { unreadable: "empty" });
  t.deepEqual(await ask([header, `Hash=;Cert="${cert}"`]), { unreadable: "not_sha256" });
  t.deepEqual(await ask([header, "By=a"]), { unreadable: "hash_missing" });
  t.deepEqual(await ask([header, `Hash=${sha256Hex};Hash=${sha256Hex}`]), { unreadable: "not_xfcc" });
  t.deepEqual(await ask([header, `Hash=${sha256Hex};Cert=${cert};Cert=${cert}`]), { unreadable: "not_xfcc" });
  t.deepEqual(await ask([header, `Hash=${sha256Hex.slice(0, 40)}`]), { unreadable: "not_sha256" });
});

test("the chain is never looked at", async (t) => {
  const { ask } = await listenFor(t, envoy({ from }));
  t.deepEqual(await ask([header, `Hash=${sha256Hex};Chain="${otherCert}"`]), thumbprintAlone);
  t.deepEqual(await ask([header, `Chain="${cert}"`]), { unreadable: "hash_missing" });
});
