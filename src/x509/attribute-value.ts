import { contentOf, readDer } from "./der.ts";

/** White space and line breaks of any kind, which compare as a blank (RFC 4518 §2.2). */
const blanks = /[\t\n\v\f\r\u0085\p{Z}]/gu;

/** Unassigned, private, unpaired; controls; and what is not seen at all (RFC 4518 §2.4, and §2.2: see below). */
const notComparable = /[\p{Cn}\p{Co}\p{Cs}\p{Cc}\p{Cf}\p{Variation_Selector}\u034F\uFFFC\uFFFD]/u;

/** Characters. */
const longestText = 1024;

/**
 * Normalising takes time that grows with the square of the accents on one letter, and anyone may ask: 3 ms for a
 * thousand. More than 30 in a row are in no text (Stream-Safe Text Format, UAX #15 §13).
 */
const tooManyAccents = /\p{M}{31}/u;

/**
 * Prepares a text for caseIgnoreMatch: two texts match when this makes the same of both (RFC 4518, RFC 4517 §4.2.11).
 *
 * `undefined`: the text matches nothing, itself included. That goes for what is longer than 1024 characters, for more
 * than 30 accents on one letter, for prohibited characters, and here, more strictly than RFC 4518 §2.2, for controls and
 * invisible characters too: a name that is seen as another, and an authority may have taken for another, is not to pass
 * for it.
 *
 * @example prepareString("  Acme   GmbH ") // "acme gmbh"
 */
export function prepareString(text: string): string | undefined {
  if (text.length > longestText) return undefined;
  // Nearly every name: nothing to normalise, and nothing that is not seen.
  if (/^[\x20-\x7E]*$/.test(text)) return squeeze(text.toLowerCase());
  const spaced = text.replaceAll(blanks, " ");
  if (notComparable.test(spaced) || tooManyAccents.test(spaced)) return undefined;
  const folded = foldCase(spaced.normalize("NFKC")).normalize("NFKC");
  return notComparable.test(folded) ? undefined : squeeze(folded);
}

/** Each character for itself: within a word `toLowerCase` writes a final sigma otherwise than in the middle. */
function foldCase(text: string): string {
  let folded = "";
  for (const character of text) {
    // The capital of a dotless i is an I, and yet the two are different letters (RFC 3454 B.2 leaves it alone).
    folded += character === "ı" ? character : character.toLowerCase().toUpperCase().toLowerCase();
  }
  return folded;
}

/** RFC 4518 §2.6.1: blanks around do not count, several count as one; a blank that carries an accent is none. */
function squeeze(text: string): string {
  return text
    .replaceAll(/ +(?!\p{M})/gu, " ")
    .replace(/^ (?!\p{M})/u, "")
    .replace(/ $/, "");
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const ascii = (content: Buffer): string | undefined =>
  content.every((octet) => octet < 0x80) ? content.toString("latin1") : undefined;

/** The string types of names and how they hold text; `undefined` where the content is not of the type. */
const strings: ReadonlyMap<number, (content: Buffer) => string | undefined> = new Map([
  [12, readUtf8], // UTF8String
  [18, ascii], // NumericString
  [19, ascii], // PrintableString
  // TeletexString: its real repertoire depends on escapes that no one writes; all take it for Latin-1.
  [20, (content: Buffer) => content.toString("latin1")],
  [22, ascii], // IA5String
  [26, ascii], // VisibleString
  [28, readUniversal], // UniversalString
  [30, readBmp], // BMPString
]);

/**
 * An attribute's value, given as DER, in a form that is the same for values that match.
 *
 * The string types compare by their text, whichever of them it is (RFC 5280 §7.1); every other type by its octets.
 * `undefined`: comparable with nothing. Throws `MalformedDer` unless it is exactly one DER element.
 */
export function comparableValue(der: Uint8Array): string | undefined {
  const text = readDirectoryString(der);
  if (text === "octets") return `octets:${Buffer.from(der).toString("hex")}`;
  return text === undefined ? undefined : comparableText(text.text);
}

/** The text of a value of a string type, given as DER; `undefined` when its octets are not of the type. */
export function readDirectoryString(der: Uint8Array): { readonly text: string } | "octets" | undefined {
  const element = readDer(der);
  const read = strings.get(element.tag);
  if (read === undefined) return "octets";
  const text = read(Buffer.from(contentOf(der, element)));
  return text === undefined ? undefined : { text };
}

/** As {@link comparableValue}, for a value written as text. */
export function comparableText(text: string): string | undefined {
  const prepared = prepareString(text);
  return prepared === undefined ? undefined : `text:${prepared}`;
}

function readUtf8(content: Buffer): string | undefined {
  try {
    return utf8.decode(content);
  } catch {
    return undefined;
  }
}

function readBmp(content: Buffer): string | undefined {
  if (content.length % 2 !== 0) return undefined;
  return Buffer.from(content).swap16().toString("utf16le");
}

function readUniversal(content: Buffer): string | undefined {
  if (content.length % 4 !== 0) return undefined;
  let text = "";
  for (let at = 0; at < content.length; at += 4) {
    const codePoint = content.readUInt32BE(at);
    if (codePoint > 0x10_ff_ff) return undefined;
    text += String.fromCodePoint(codePoint);
  }
  return text;
}
