import { constants } from "node:crypto";
import test from "ava";
import { readSignatureAlgorithm } from "../../../src/backend/chain-verification/signature-algorithm.ts";
import { MalformedDer } from "../../../src/x509/der.ts";
import { element, integer, objectIdentifier, sequence } from "../../support/der-writer.ts";

const identifier = (algorithm: string, ...parameters: readonly Uint8Array[]): Buffer =>
  sequence(objectIdentifier(algorithm), ...parameters);
const [pss, mgf1, sha1, sha256, sha512] = [
  "1.2.840.113549.1.1.10",
  "1.2.840.113549.1.1.8",
  "1.3.14.3.2.26",
  "2.16.840.1.101.3.4.2.1",
  "2.16.840.1.101.3.4.2.3",
] as const;

/** RSASSA-PSS-params (RFC 4055 §3.1). */
const withPss = (digest?: string, salt?: Buffer): Buffer =>
  identifier(
    pss,
    sequence(
      ...(digest === undefined
        ? []
        : [
            element(0xa0, identifier(digest, element(0x05))),
            element(0xa1, identifier(mgf1, identifier(digest, element(0x05)))),
          ]),
      ...(salt === undefined ? [] : [element(0xa2, salt)]),
    ),
  );
const saltOf = (length: number): Buffer => integer(Buffer.of(length >> 8, length & 0xff));

for (const [algorithm, digest] of [
  ["1.2.840.113549.1.1.11", "sha256"],
  ["1.2.840.113549.1.1.13", "sha512"],
  ["1.2.840.10045.4.3.2", "sha256"],
  ["1.2.840.10045.4.3.4", "sha512"],
  // DSA (RFC 3279 §2.2.2, RFC 5758 §3.1).
  ["1.2.840.10040.4.3", "sha1"],
  ["2.16.840.1.101.3.4.3.1", "sha224"],
  ["2.16.840.1.101.3.4.3.2", "sha256"],
  // Too weak, which is OpenSSL's to say.
  ["1.2.840.113549.1.1.4", "md5"],
  ["1.2.840.113549.1.1.5", "sha1"],
  // The key decides.
  ["1.3.101.112", undefined],
  ["1.3.101.113", undefined],
] as const) {
  test(`a signature by ${algorithm} is checked with ${digest ?? "the digest of its key"}`, (t) => {
    for (const parameters of [[], [element(0x05)]]) {
      t.deepEqual(readSignatureAlgorithm(identifier(algorithm, ...parameters)), { digest });
    }
  });
}

for (const [what, der, digest, saltLength] of [
  ["no parameters: SHA-1 and a salt of 20 octets", identifier(pss), "sha1", 20],
  ["empty parameters", withPss(), "sha1", 20],
  ["SHA-1 by name", withPss(sha1), "sha1", 20],
  ["SHA-256 and 32 octets", withPss(sha256, saltOf(32)), "sha256", 32],
  ["SHA-512 and 64 octets", withPss(sha512, saltOf(64)), "sha512", 64],
  ["no salt", withPss(sha256, saltOf(0)), "sha256", 0],
  ["the longest salt", withPss(sha256, saltOf(1024)), "sha256", 1024],
] as const) {
  test(`RSASSA-PSS is checked by its parameters: ${what}`, (t) => {
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    t.deepEqual(readSignatureAlgorithm(der), { digest, padding, saltLength });
  });
}

for (const [what, der] of [
  ["an unknown algorithm", identifier("1.2.3.4")],
  ["MD2 with RSA", identifier("1.2.840.113549.1.1.2")],
  ["RSASSA-PSS with a salt of 1025 octets", withPss(sha256, saltOf(1025))],
  ["RSASSA-PSS with a salt of 2^2048 octets", withPss(sha256, integer(Buffer.alloc(256, 0x7f)))],
  ["RSASSA-PSS with a negative salt", withPss(sha256, element(0x02, Buffer.of(0xfe)))],
  ["RSASSA-PSS with a salt of no digits", withPss(sha256, element(0x02))],
  ["RSASSA-PSS with an unknown digest", withPss("1.2.3.4", saltOf(32))],
  ["RSASSA-PSS with MD5", withPss("1.2.840.113549.2.5", saltOf(16))],
] as const) {
  test(`no signature is checked by ${what}`, (t) => {
    t.is(readSignatureAlgorithm(der), undefined);
  });
}

for (const [what, der] of [
  ["no octets", Buffer.alloc(0)],
  ["an identifier that is a text", sequence(element(0x0c, Buffer.from("sha256")))],
  ["a set", element(0x31, objectIdentifier(pss))],
  ["PSS parameters that are a number", identifier(pss, integer(Buffer.of(1)))],
  ["a salt that is a text", withPss(sha256, element(0x0c, Buffer.from("32")))],
  ["too many members", sequence(objectIdentifier(pss), element(0x05), element(0x05))],
] as const) {
  test(`a value that is no algorithm is unreadable: ${what}`, (t) => {
    t.throws(() => readSignatureAlgorithm(der), { instanceOf: MalformedDer });
  });
}
