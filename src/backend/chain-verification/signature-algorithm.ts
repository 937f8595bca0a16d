import { constants } from "node:crypto";
import { expectTag } from "../../x509/certificate-parts.ts";
import { childrenOf, contentOf, readOutermost, tags, type DerElement } from "../../x509/der.ts";

/** How a signature is checked, as `verify` of `node:crypto` takes it. */
export interface SignatureAlgorithm {
  /** `undefined` where the key decides. */
  readonly digest: string | undefined;
  readonly padding?: number;
  readonly saltLength?: number;
}

/**
 * By the OBJECT IDENTIFIER in hexadecimal (RFC 4055, 5758, 8410). MD5 and SHA-1 are here so that OpenSSL gets to refuse
 * what else is right, in its own words.
 */
const algorithms: ReadonlyMap<string, string | undefined> = new Map([
  ["2a864886f70d010104", "md5"],
  ["2a864886f70d010105", "sha1"],
  ["2a864886f70d01010e", "sha224"],
  ["2a864886f70d01010b", "sha256"],
  ["2a864886f70d01010c", "sha384"],
  ["2a864886f70d01010d", "sha512"],
  ["2a8648ce3d0401", "sha1"],
  ["2a8648ce3d040301", "sha224"],
  ["2a8648ce3d040302", "sha256"],
  ["2a8648ce3d040303", "sha384"],
  ["2a8648ce3d040304", "sha512"],
  ["2a8648ce380403", "sha1"],
  ["608648016503040301", "sha224"],
  ["608648016503040302", "sha256"],
  ["2b6570", undefined],
  ["2b6571", undefined],
]);

/** Octets: more than fit into the longest key that is accepted. */
const longestSalt = 1024;

const pss = "2a864886f70d01010a";
const digests: ReadonlyMap<string, string> = new Map([
  ["2b0e03021a", "sha1"],
  ["608648016503040204", "sha224"],
  ["608648016503040201", "sha256"],
  ["608648016503040202", "sha384"],
  ["608648016503040203", "sha512"],
]);

/**
 * Reads the AlgorithmIdentifier beside a signature, given as DER; `undefined` for one that is not accepted.
 *
 * Throws `MalformedDer`.
 *
 * @example readSignatureAlgorithm(parts.signatureAlgorithm)?.digest // "sha256"
 */
export function readSignatureAlgorithm(der: Uint8Array): SignatureAlgorithm | undefined {
  const [type, parameters] = childrenOf(der, expectTag(readOutermost(der), tags.sequence), 2);
  const identifier = hexOf(der, type);
  if (identifier === pss) return readPss(der, parameters);
  return algorithms.has(identifier) ? { digest: algorithms.get(identifier) } : undefined;
}

/** RFC 4055 §3.1: the defaults are SHA-1, a salt of 20 octets, and MGF1 with the same digest. */
function readPss(der: Uint8Array, parameters: DerElement | undefined): SignatureAlgorithm | undefined {
  const members = parameters === undefined ? [] : childrenOf(der, expectTag(parameters, tags.sequence), 4);
  const member = (tag: number): DerElement | undefined => {
    const found = members.find((one) => one.tag === tag);
    return found && childrenOf(der, found, 1)[0];
  };
  const hash = member(0xa0);
  const salt = member(0xa2);
  const digest = hash === undefined ? "sha1" : digests.get(hexOf(der, childrenOf(der, hash, 2)[0]));
  const digits = salt === undefined ? "14" : hexOf(der, salt, tags.integer);
  // A first digit above 7 is that of a negative number.
  const saltLength = /^[0-7]/.test(digits) ? Number(`0x${digits}`) : Infinity;
  if (digest === undefined || saltLength > longestSalt) return undefined;
  return { digest, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
}

function hexOf(octets: Uint8Array, element: DerElement | undefined, tag: number = tags.objectIdentifier): string {
  return Buffer.from(contentOf(octets, expectTag(element, tag))).toString("hex");
}
