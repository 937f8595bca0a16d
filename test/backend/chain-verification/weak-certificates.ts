import { generateKeyPairSync } from "node:crypto";
import type { KeyPair } from "../../support/certificates.ts";
import { element, sequence } from "../../support/der-writer.ts";

/** RSA of 1024 bits: 80 bits of security, below `-auth_level 2`. */
export function createWeakKeyPair(): KeyPair {
  return generateKeyPairSync("rsa", { modulusLength: 1024 });
}

const sha256WithRsa = Buffer.from("2a864886f70d01010b", "hex");
const sha1WithRsa = Buffer.from("2a864886f70d010105", "hex");

/** The same certificate under sha1WithRSAEncryption; `sign` signs with the issuer's RSA key. */
export function resignWithSha1(der: Uint8Array, sign: (toBeSigned: Buffer) => Buffer): Buffer {
  const copy = Buffer.from(der);
  for (let at = copy.indexOf(sha256WithRsa); at !== -1; at = copy.indexOf(sha256WithRsa)) sha1WithRsa.copy(copy, at);
  // Both lengths are of the form 30 82 xx xx: the certificate's, and its first element's.
  const toBeSigned = copy.subarray(4, 8 + copy.readUInt16BE(6));
  const algorithm = sequence(element(0x06, sha1WithRsa), element(0x05));
  return sequence(toBeSigned, algorithm, element(0x03, Buffer.of(0), sign(toBeSigned)));
}
