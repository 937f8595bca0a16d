import { contentOf, readDer } from "./der.ts";
import { prepareString } from "./prepare-string.ts";

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
