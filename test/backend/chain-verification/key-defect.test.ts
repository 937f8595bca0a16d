import { generateKeyPairSync, type KeyObject } from "node:crypto";
import test from "ava";
import { keyDefect } from "../../../src/backend/chain-verification/key-defect.ts";
import { MalformedDer } from "../../../src/x509/der.ts";
import { element, integer, objectIdentifier, sequence } from "../../support/der-writer.ts";

/** A positive number of so many bits, its last one set. */
function ofBits(bits: number): Buffer {
  const octets = Buffer.alloc(Math.ceil(bits / 8));
  octets[octets.length - 1] = 1;
  octets[0] = (octets[0] ?? 0) | (1 << ((bits - 1) % 8));
  return octets;
}

const null_ = element(0x05);
const bitString = (content: Uint8Array): Buffer => element(0x03, Buffer.of(0), content);
const spki = (algorithm: string, parameters: readonly Uint8Array[], key: Uint8Array): Buffer =>
  sequence(sequence(objectIdentifier(algorithm), ...parameters), bitString(key));

const [rsaEncryption, pss, ecPublicKey, dsa] = [
  "1.2.840.113549.1.1.1",
  "1.2.840.113549.1.1.10",
  "1.2.840.10045.2.1",
  "1.2.840.10040.4.1",
] as const;
const rsa = (modulus: Buffer, exponent: Buffer, type: string = rsaEncryption): Buffer =>
  spki(type, type === pss ? [] : [null_], sequence(integer(modulus), integer(exponent)));
const f4 = Buffer.of(1, 0, 1);

/** A curve whose parameters are written out, over a field of this type and with this prime (RFC 3279 §2.3.5). */
const writtenOut = (field: string, prime: Buffer): Buffer => {
  const fieldId = sequence(objectIdentifier(field), integer(prime));
  const octets = element(0x04, Buffer.of(1));
  const curve = [integer(Buffer.of(1)), fieldId, sequence(octets, octets), octets, integer(Buffer.of(1))];
  return spki(ecPublicKey, [sequence(...curve)], Buffer.of(4));
};
const onCurve = (curve: string): Buffer => spki(ecPublicKey, [objectIdentifier(curve)], Buffer.of(4));
const withDsa = (p: number, q: number, g: number): Buffer =>
  spki(dsa, [sequence(integer(ofBits(p)), integer(ofBits(q)), integer(ofBits(g)))], integer(Buffer.of(5)));
const made = ({ publicKey }: { readonly publicKey: KeyObject }): Buffer =>
  publicKey.export({ type: "spki", format: "der" });

for (const [what, der] of [
  ["RSA of 8192 bits", rsa(ofBits(8192), f4)],
  ["RSA with the exponent 3", rsa(ofBits(2048), Buffer.of(3))],
  ["RSA with an exponent of 33 bits", rsa(ofBits(2048), ofBits(33))],
  ["RSASSA-PSS of 8192 bits", rsa(ofBits(8192), f4, pss)],
  ["RSASSA-PSS as Node makes it", made(generateKeyPairSync("rsa-pss", { modulusLength: 2048 }))],
  ["DSA of 3072 bits", withDsa(3072, 256, 3072)],
  ["DSA as Node makes it", made(generateKeyPairSync("dsa", { modulusLength: 1024, divisorLength: 160 }))],
  ["DSA with its issuer's parameters", spki(dsa, [], integer(Buffer.of(5)))],
  ["DSA with NULL for them", spki(dsa, [null_], integer(Buffer.of(5)))],
  ["P-521", onCurve("1.3.132.0.35")],
  ["brainpoolP512r1", onCurve("1.3.36.3.3.2.8.1.1.13")],
  ["a curve written out with a prime of 521 bits, for OpenSSL to refuse", writtenOut("1.2.840.10045.1.1", ofBits(521))],
  ["Ed25519", made(generateKeyPairSync("ed25519"))],
  ["Ed448", made(generateKeyPairSync("ed448"))],
] as const) {
  test(`signatures are checked with ${what}`, (t) => {
    t.is(keyDefect(der), undefined);
  });
}

const [tooLong, tooLarge] = [
  "is RSA of more than 8192 bits",
  "is RSA with a public exponent of more than 33 bits",
] as const;
const evenOrSmall = "is RSA with an even public exponent or one below 3";
const notAccepted = "is on a curve that is not accepted";
for (const [what, der, defect] of [
  ["RSA of 8193 bits", rsa(ofBits(8193), f4), tooLong],
  ["RSA of 65,536 bits", rsa(ofBits(65_536), f4), tooLong],
  ["RSASSA-PSS of 8193 bits", rsa(ofBits(8193), f4, pss), tooLong],
  ["RSA with an exponent of 34 bits", rsa(ofBits(2048), ofBits(34)), tooLarge],
  ["RSA with an exponent as long as its modulus", rsa(ofBits(3072), ofBits(3072)), tooLarge],
  ["RSASSA-PSS with an exponent of 34 bits", rsa(ofBits(2048), ofBits(34), pss), tooLarge],
  ["RSA with the exponent 1", rsa(ofBits(2048), Buffer.of(1)), evenOrSmall],
  ["RSA with the exponent 0", rsa(ofBits(2048), Buffer.of(0)), evenOrSmall],
  ["RSA with an even exponent", rsa(ofBits(2048), Buffer.of(4)), evenOrSmall],
  ["DSA with a prime of 3073 bits", withDsa(3073, 256, 3072), "is DSA of more than 3072 bits"],
  ["DSA with a long q", withDsa(1024, 3080, 1024), "is DSA of more than 3072 bits"],
  ["DSA with a long g", withDsa(1024, 160, 4000), "is DSA of more than 3072 bits"],
  ["a binary curve", onCurve("1.3.132.0.39"), notAccepted],
  ["an unknown curve", onCurve("1.3.132.0.99"), notAccepted],
  ["a curve written out with a prime of 522 bits", writtenOut("1.2.840.10045.1.1", ofBits(522)), notAccepted],
  ["a binary curve written out", writtenOut("1.2.840.10045.1.2", ofBits(163)), notAccepted],
  ["X25519", made(generateKeyPairSync("x25519")), "is of an algorithm that is not accepted"],
  ["an unknown algorithm", spki("1.2.3.4", [], Buffer.of(1)), "is of an algorithm that is not accepted"],
] as const) {
  test(`no signature is checked with ${what}`, (t) => {
    t.is(keyDefect(der), defect);
  });
}

for (const [what, der] of [
  ["no octets", Buffer.alloc(0)],
  ["an RSA key that is no sequence", spki(rsaEncryption, [null_], integer(f4))],
  ["an RSA key with one number", spki(rsaEncryption, [null_], sequence(integer(f4)))],
  ["an RSA key with three numbers", spki(rsaEncryption, [null_], sequence(integer(f4), integer(f4), integer(f4)))],
  ["an RSA key of texts", spki(rsaEncryption, [null_], sequence(element(0x0c, f4), element(0x0c, f4)))],
  ["an elliptic curve without parameters", spki(ecPublicKey, [], Buffer.of(4))],
  ["a curve named by a text", spki(ecPublicKey, [element(0x0c, Buffer.from("P-256"))], Buffer.of(4))],
  ["DSA parameters that are a text", spki(dsa, [element(0x0c, f4)], integer(f4))],
] as const) {
  test(`a value that is no key is unreadable: ${what}`, (t) => {
    t.throws(() => keyDefect(der), { instanceOf: MalformedDer });
  });
}
