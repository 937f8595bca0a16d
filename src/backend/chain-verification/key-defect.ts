import { bitStringOf, expectTag } from "../../x509/certificate-parts.ts";
import { childrenOf, contentOf, MalformedDer, readOutermost, tags, type DerElement } from "../../x509/der.ts";

/** RSA: up to 0.4 ms for a signature; one of 16,384 bits takes 1.4 ms. */
const longestModulus = 8192;
/** Bits. The public exponent decides what a signature costs; nearly every key has 65537. */
const longestExponent = 33;
/** The longest prime of a curve that is in use, P-521's. */
const longestPrime = 521;
/** DSA with the longest key that FIPS 186-4 has. */
const longestDsaPrime = 3072;

/** Curves over prime fields, 1.2 ms at most for a signature but P-521 with 2.5; binary curves take 5. */
const curves: ReadonlySet<string> = new Set([
  "2a8648ce3d030101", // P-192, which OpenSSL refuses as too weak
  "2b81040021", // P-224
  "2a8648ce3d030107", // P-256
  "2b81040022", // P-384
  "2b81040023", // P-521
  "2b8104000a", // secp256k1
  "2b2403030208010107", // brainpoolP256r1
  "2b240303020801010b", // brainpoolP384r1
  "2b240303020801010d", // brainpoolP512r1
]);

/** By the OBJECT IDENTIFIER of the algorithm, in hexadecimal. */
const algorithms: ReadonlyMap<string, (der: Uint8Array, key: KeyParts) => string | undefined> = new Map([
  ["2a864886f70d010101", rsaDefect], // rsaEncryption
  ["2a864886f70d01010a", rsaDefect], // RSASSA-PSS
  ["2a8648ce3d0201", curveDefect], // id-ecPublicKey
  ["2a8648ce380401", dsaDefect], // id-dsa
  ["2b6570", () => undefined], // Ed25519
  ["2b6571", () => undefined], // Ed448
]);

interface KeyParts {
  readonly parameters: DerElement | undefined;
  readonly key: Uint8Array;
}

/**
 * Why a SubjectPublicKeyInfo (DER) is not accepted for checking signatures; `undefined` if it is.
 *
 * Bounds the cost of a check. OpenSSL refuses keys that are too weak (`-auth_level 2`). Throws `MalformedDer`.
 *
 * @example keyDefect(readCertificateParts(der).publicKey) // "is RSA with a public exponent of more than 33 bits"
 */
export function keyDefect(der: Uint8Array): string | undefined {
  const [algorithm, key] = childrenOf(der, expectTag(readOutermost(der), tags.sequence), 2);
  const [type, parameters] = childrenOf(der, expectTag(algorithm, tags.sequence), 2);
  const find = algorithms.get(hexOf(der, expectTag(type, tags.objectIdentifier)));
  if (find === undefined) return "is of an algorithm that is not accepted";
  return find(der, { parameters, key: bitStringOf(der, expectTag(key, tags.bitString)) });
}

function rsaDefect(_der: Uint8Array, { key }: KeyParts): string | undefined {
  const [modulus, exponent] = integersOf(key, childrenOf(key, expectTag(readOutermost(key), tags.sequence), 2));
  if (modulus === undefined || exponent === undefined) throw new MalformedDer("an RSA key lacks its two numbers");
  if (bitLength(modulus) > longestModulus) return `is RSA of more than ${longestModulus} bits`;
  if (bitLength(exponent) > longestExponent) return "is RSA with a public exponent of more than 33 bits";
  if (bitLength(exponent) < 2 || (exponent.at(-1) ?? 0) % 2 === 0)
    return "is RSA with an even public exponent or one below 3";
  return undefined;
}

/** id-prime-Field, in parameters that are written out. */
const primeField = "2a8648ce3d0101";

function curveDefect(der: Uint8Array, { parameters }: KeyParts): string | undefined {
  if (parameters?.tag === tags.objectIdentifier) {
    return curves.has(hexOf(der, parameters)) ? undefined : "is on a curve that is not accepted";
  }
  // Parameters that are written out are refused by OpenSSL in its own words; until then they must be no larger.
  const [, field] = childrenOf(der, expectTag(parameters, tags.sequence), 6);
  const [fieldType, prime] = childrenOf(der, expectTag(field, tags.sequence), 2);
  const isPrime = hexOf(der, expectTag(fieldType, tags.objectIdentifier)) === primeField;
  const [length = Infinity] = prime === undefined || !isPrime ? [] : integersOf(der, [prime]).map(bitLength);
  return length > longestPrime ? "is on a curve that is not accepted" : undefined;
}

function dsaDefect(der: Uint8Array, { parameters }: KeyParts): string | undefined {
  // Left out, they are the issuer's (RFC 3279 §2.3.2), which are looked at there.
  if (parameters === undefined || parameters.tag === 0x05) return undefined;
  const numbers = integersOf(der, childrenOf(der, expectTag(parameters, tags.sequence), 3));
  return numbers.some((number) => bitLength(number) > longestDsaPrime)
    ? `is DSA of more than ${longestDsaPrime} bits`
    : undefined;
}

function integersOf(octets: Uint8Array, elements: readonly DerElement[]): Uint8Array[] {
  return elements.map((element) => contentOf(octets, expectTag(element, tags.integer)));
}

function bitLength(number: Uint8Array): number {
  const start = number.findIndex((octet) => octet !== 0);
  return start === -1 ? 0 : (number.length - start) * 8 - (Math.clz32(number[start] ?? 0) - 24);
}

function hexOf(octets: Uint8Array, element: DerElement): string {
  return Buffer.from(contentOf(octets, element)).toString("hex");
}
