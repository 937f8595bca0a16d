import { readDirectoryString } from "./attribute-value.ts";
import { expectTag } from "./certificate-parts.ts";
import { childrenOf, contentOf, encodingOf, MalformedDer, readOutermost, tags } from "./der.ts";

/** The longest names of authorities have a dozen. */
const mostAttributes = 32;

/**
 * A Name, given as DER, as a text that is the same for names by which one certificate follows another in a path.
 *
 * Compared as OpenSSL does it, which is a little more than RFC 5280 §7.1 asks for: the string type, the case of ASCII
 * letters and how many blanks there are do not count. Throws {@link MalformedDer}, also for more than 32 attributes.
 *
 * @example chainedName(readCertificateParts(leaf).issuer) === chainedName(readCertificateParts(ca).subject)
 */
export function chainedName(der: Uint8Array): string {
  const rdns = childrenOf(der, expectTag(readOutermost(der), tags.sequence), mostAttributes);
  let left = mostAttributes;
  const texts = rdns.map((rdn) => {
    const attributes = childrenOf(der, expectTag(rdn, tags.set), left);
    left -= attributes.length;
    return attributes
      .map((attribute) => {
        const [type, value] = childrenOf(der, expectTag(attribute, tags.sequence), 2);
        if (value === undefined) throw new MalformedDer("an attribute has no value");
        const typeText = Buffer.from(contentOf(der, expectTag(type, tags.objectIdentifier))).toString("hex");
        return [typeText, chainedValue(encodingOf(der, value))];
      })
      .sort(([oneType = "", one = ""], [otherType = "", other = ""]) =>
        oneType === otherType ? (one < other ? -1 : 1) : oneType < otherType ? -1 : 1,
      );
  });
  return JSON.stringify(texts);
}

function chainedValue(der: Uint8Array): string {
  const read = readDirectoryString(der);
  if (typeof read !== "object") return `octets:${Buffer.from(der).toString("hex")}`;
  const squeezed = read.text
    .replaceAll(/[ \t\n\v\f\r]+/g, " ")
    .replace(/^ /, "")
    .replace(/ $/, "");
  return `text:${squeezed.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())}`;
}
