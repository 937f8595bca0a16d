import { readAttributeType } from "./attribute-types.ts";
import { comparableText, comparableValue } from "./attribute-value.ts";
import { MalformedDer } from "./der.ts";
import { comparableAttribute, relativeDistinguishedName, type DistinguishedName } from "./distinguished-name.ts";
import { MalformedDistinguishedName } from "./malformed-distinguished-name.ts";

/** Longer than any name that someone registers. */
const longest = 8192;

const attributeType = /[A-Za-z0-9.-]*/y;
const hexadecimalValue = /#(?:[0-9A-Fa-f]{2})+/y;
/** Characters that stand for themselves. `"` and `;` had a meaning in RFC 1779, and have none in RFC 4514 §3. */
const plain = /[^"+,;<>\\\u0000]+/y;
const escapedCharacter = /\\["+,;<>\\ #=]/y;
const escapedOctets = /(?:\\[0-9A-Fa-f]{2})+/y;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads the text form of a distinguished name (RFC 4514), most specific RDN first.
 *
 * Blanks around `,`, `+` and `=` are let pass (RFC 2253 §4). Throws {@link MalformedDistinguishedName}: an empty name or
 * value, an attribute type not known, a `#` value that is not DER, quotes, `;`, escapes that are none, UTF-8 that is
 * none, characters that cannot be compared, more than 8192 characters.
 *
 * @example readDistinguishedName("CN=client-a+UID=7,O=Acme\\, Inc.,C=DE")
 */
export function readDistinguishedName(text: string): DistinguishedName {
  if (text.length > longest) throw new MalformedDistinguishedName("it is too long", longest);
  const reader = new Reader(text);
  const rdns: (readonly string[])[] = [];
  do rdns.push(readRelativeName(reader));
  while (reader.skip(","));
  reader.expectEnd();
  return { rdns: rdns.reverse().map(relativeDistinguishedName) };
}

function readRelativeName(reader: Reader): readonly string[] {
  const attributes: string[] = [];
  do attributes.push(readAttribute(reader));
  while (reader.skip("+"));
  return attributes;
}

function readAttribute(reader: Reader): string {
  reader.skipBlanks();
  const start = reader.at;
  const type = readAttributeType(reader.take(attributeType) ?? "");
  if (type === undefined) throw new MalformedDistinguishedName("an attribute type is missing or not known", start);
  reader.skipBlanks();
  if (!reader.skip("=")) throw reader.malformed("an = is missing");
  reader.skipBlanks();
  const valueStart = reader.at;
  const attribute = comparableAttribute(type, readValue(reader));
  if (attribute === undefined) {
    throw new MalformedDistinguishedName("a value has characters that cannot be compared", valueStart);
  }
  reader.skipBlanks();
  return attribute;
}

function readValue(reader: Reader): string | undefined {
  if (reader.peek() !== "#") return comparableText(readString(reader));
  const encoded = reader.take(hexadecimalValue);
  if (encoded === undefined) throw reader.malformed("a # is not followed by octets in hexadecimal");
  try {
    return comparableValue(Buffer.from(encoded.slice(1), "hex"));
  } catch (error) {
    if (!(error instanceof MalformedDer)) throw error;
    throw reader.malformed("a # value is not DER");
  }
}

function readString(reader: Reader): string {
  let value = "";
  for (;;) {
    const octets = reader.take(escapedOctets);
    const part =
      octets === undefined
        ? (reader.take(plain) ?? reader.take(escapedCharacter)?.slice(1))
        : readOctets(octets, reader);
    if (part === undefined) break;
    value += part;
  }
  if (value === "") throw reader.malformed("a value is missing");
  return value;
}

/** Escaped octets that stand together are UTF-8 together. */
function readOctets(escaped: string, reader: Reader): string {
  try {
    return utf8.decode(Buffer.from(escaped.replaceAll("\\", ""), "hex"));
  } catch {
    throw reader.malformed("escaped octets are not UTF-8");
  }
}

class Reader {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  peek(): string {
    return this.#text.charAt(this.at);
  }

  /** What a sticky expression finds here; `undefined` when that is nothing. */
  take(expression: RegExp): string | undefined {
    expression.lastIndex = this.at;
    const found = expression.exec(this.#text)?.[0];
    if (found === undefined || found === "") return undefined;
    this.at += found.length;
    return found;
  }

  skip(character: string): boolean {
    if (this.peek() !== character) return false;
    this.at += 1;
    return true;
  }

  skipBlanks(): void {
    while (this.skip(" "));
  }

  expectEnd(): void {
    if (this.at < this.#text.length) throw this.malformed("something stands where a , or + or the end should");
  }

  malformed(problem: string): MalformedDistinguishedName {
    return new MalformedDistinguishedName(problem, this.at);
  }
}
