import { contentOf, readDer } from "./der.ts";

/** White space and line breaks of any kind, which compare as a space (RFC 4518 §2.2). */
const blanks = /[\t\n\v\f\r\u0085\p{Z}]/gu;

/**
 * Unassigned, private-use and unpaired code points, controls, and invisible characters (RFC 4518 §2.4, and §2.2: see
 * below).
 */
const notComparable = /[\p{Cn}\p{Co}\p{Cs}\p{Cc}\p{Cf}\p{Variation_Selector}\u034F\uFFFC\uFFFD]/u;

/** Characters. */
const longestText = 1024;

/**
 * The time to normalize grows with the square of the accents on one letter (3 ms for a thousand), and anyone can send
 * such a text. No real text has more than 30 in a row (Stream-Safe Text Format, UAX #15 §13).
 */
const tooManyAccents = /\p{M}{31}/u;

/**
 * Prepares a text for caseIgnoreMatch: two texts match when their results are equal (RFC 4518, RFC 4517 §4.2.11).
 *
 * `undefined`: the text matches nothing, not even itself. This applies to more than 1024 characters, to more than 30
 * accents on one letter, to prohibited characters, and, more strictly than RFC 4518 §2.2, to controls and invisible
 * characters: a name that looks like another, and that a CA may have mistaken for it, must not match it.
 *
 * @example prepareString("  Acme   GmbH ") // "acme gmbh"
 */
export function prepareString(text: string): string | undefined {
  if (text.length > longestText) return undefined;
  // Nearly every name: nothing to normalize and nothing invisible.
  if (/^[\x20-\x7E]*$/.test(text)) return squeeze(text.toLowerCase());
  const spaced = text.replaceAll(blanks, " ");
  if (notComparable.test(spaced) || tooManyAccents.test(spaced)) return undefined;
  const folded = foldCase(spaced.normalize("NFKC")).normalize("NFKC");
  return notComparable.test(folded) ? undefined : squeeze(folded);
}

/** One character at a time: at the end of a word, `toLowerCase` gives a sigma another form. */
function foldCase(text: string): string {
  let folded = "";
  for (const character of text) {
    // The capital of a dotless i is an I, but the two are different letters (RFC 3454 B.2 keeps it).
    folded += character === "ı" ? character : character.toLowerCase().toUpperCase().toLowerCase();
  }
  return folded;
}

/**
 * RFC 4518 §2.6.1: spaces around the text are ignored, several count as one; a space that carries an accent is not a
 * space.
 */
function squeeze(text: string): string {
  return text
    .replaceAll(/ +(?!\p{M})/gu, " ")
    .replace(/^ (?!\p{M})/u, "")
    .replace(/ $/, "");
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const ascii = (content: Buffer): string | undefined =>
  content.every((octet) => octet < 0x80) ? content.toString("latin1") : undefined;

/** The string types of names and how each is decoded; `undefined` where the content is not valid for the type. */
const strings: ReadonlyMap<number, (content: Buffer) => string | undefined> = new Map([
  [12, readUtf8], // UTF8String
  [18, ascii], // NumericString
  [19, ascii], // PrintableString
  // TeletexString: its real repertoire depends on escapes that nobody writes; all implementations read Latin-1.
  [20, (content: Buffer) => content.toString("latin1")],
  [22, ascii], // IA5String
  [26, ascii], // VisibleString
  [28, readUniversal], // UniversalString
  [30, readBmp], // BMPString
]);

/**
 * Converts an attribute's value, given as DER, into a form that is equal for values that match.
 *
 * All string types compare by their text (RFC 5280 §7.1), every other type by its octets. `undefined`: matches nothing.
 * Throws `MalformedDer` unless it is exactly one DER element.
 */
export function comparableValue(der: Uint8Array): string | undefined {
  const text = readDirectoryString(der);
  if (text === "octets") return `octets:${Buffer.from(der).toString("hex")}`;
  return text === undefined ? undefined : comparableText(text.text);
}

/**
 * The text of a value, given as DER; `"octets"` for another than a string type, `undefined` for octets that are not
 * valid for the type.
 */
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
