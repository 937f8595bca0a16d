import { readAttributeType } from "./attribute-types.ts";
import { comparableText, comparableValue } from "./attribute-value.ts";
import { MalformedDer } from "./der.ts";
import { comparableAttribute, type DistinguishedName, relativeDistinguishedName } from "./distinguished-name.ts";

/** A text is not an RFC 4514 distinguished name; the message says where and why, and never quotes the text. */
export class MalformedDistinguishedName extends TypeError {
  override readonly name = "MalformedDistinguishedName";
  readonly code = "ERR_MALFORMED_DISTINGUISHED_NAME";
  /** The problem and the character where it is: the message without its beginning and its full stop. */
  readonly reason: string;

  /** `at`: the index of the character where reading ended. */
  constructor(problem: string, at: number) {
    const reason = `${problem}, at character ${at + 1}`;
    super(`Not a distinguished name (RFC 4514): ${reason}.`);
    this.reason = reason;
  }
}

/** Longer than any registered name. */
const longest = 8192;

const attributeType = /[A-Za-z0-9.-]*/y;
const hexadecimalValue = /#(?:[0-9A-Fa-f]{2})+/y;
/** Characters that need no escape. `"` and `;` had a meaning in RFC 1779, and have none in RFC 4514 §3. */
const plain = /[^"+,;<>\\\u0000]+/y;
const escapedCharacter = /\\["+,;<>\\ #=]/y;
const escapedOctets = /(?:\\[0-9A-Fa-f]{2})+/y;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** One attribute as written in the text. */
export interface WrittenAttribute {
  /** The content octets of its OBJECT IDENTIFIER in hexadecimal. */
  readonly type: string;
  readonly typeText: string;
  /** Without surrounding spaces, with its escapes. */
  readonly valueText: string;
  /** The form in which a certificate's attribute is compared with it. */
  readonly comparable: string;
}

/**
 * Reads the text form of a distinguished name (RFC 4514), most specific RDN first.
 *
 * A value may be empty (RFC 4514 §3). Accepts spaces around `,`, `+` and `=`, and `OID.` before an object identifier
 * (RFC 2253 §4). Throws {@link MalformedDistinguishedName}: an empty name, an unknown attribute type, a `#` value that
 * is not DER, quotes, `;`, invalid escapes, invalid UTF-8, incomparable characters, more than 8192 characters.
 *
 * @example readDistinguishedName("CN=client-a+UID=7,O=Acme\\, Inc.,C=DE")
 */
export function readDistinguishedName(text: string): DistinguishedName {
  const rdns = readWrittenName(text).map((rdn) => relativeDistinguishedName(rdn.map(({ comparable }) => comparable)));
  return { rdns: rdns.reverse() };
}

/** Like {@link readDistinguishedName}, with the attributes as written: RDN by RDN in the order of the text. */
export function readWrittenName(text: string): (readonly WrittenAttribute[])[] {
  if (text.length > longest) throw new MalformedDistinguishedName(`it is longer than ${longest} characters`, longest);
  const reader = new Reader(text);
  reader.skipBlanks();
  if (reader.peek() === "") throw reader.malformed("it is empty");
  const rdns: (readonly WrittenAttribute[])[] = [];
  do rdns.push(readRelativeName(reader));
  while (reader.skip(","));
  reader.expectEnd();
  return rdns;
}

function readRelativeName(reader: Reader): readonly WrittenAttribute[] {
  const attributes: WrittenAttribute[] = [];
  do attributes.push(readAttribute(reader));
  while (reader.skip("+"));
  return attributes;
}

function readAttribute(reader: Reader): WrittenAttribute {
  reader.skipBlanks();
  const start = reader.at;
  const typeText = reader.take(attributeType) ?? "";
  reader.skipBlanks();
  if (typeText === "" || !reader.skip("=")) {
    throw new MalformedDistinguishedName("an attribute is not of the form type=value", start);
  }
  const type = readAttributeType(typeText);
  if (type === undefined) throw new MalformedDistinguishedName(unknownType(typeText), start);
  reader.skipBlanks();
  const valueStart = reader.at;
  const value = readValue(reader);
  const comparable = comparableAttribute(type, value);
  if (comparable === undefined) throw new MalformedDistinguishedName(incomparable, valueStart);
  const valueText = reader.since(valueStart);
  reader.skipBlanks();
  return { type, typeText, valueText, comparable };
}

const incomparable = "a value is too long or has invisible, control or unassigned characters, which match nothing";

function unknownType(written: string): string {
  return /^(?:OID\.)?[0-9.]*$/i.test(written)
    ? "an attribute type is not a valid object identifier"
    : "an attribute type is not known (write its object identifier, for example 2.5.4.97)";
}

function readValue(reader: Reader): string | undefined {
  if (reader.peek() !== "#") return comparableText(readString(reader));
  const start = reader.at;
  const encoded = reader.take(hexadecimalValue);
  if (encoded === undefined) throw reader.malformed("a # is not followed by octets in hexadecimal (or write \\#)");
  try {
    return comparableValue(Buffer.from(encoded.slice(1), "hex"));
  } catch (error) {
    if (!(error instanceof MalformedDer)) throw error;
    throw new MalformedDistinguishedName("a # value is not DER", start);
  }
}

function readString(reader: Reader): string {
  let value = "";
  for (;;) {
    const start = reader.at;
    const octets = reader.take(escapedOctets);
    const part =
      octets === undefined
        ? (reader.take(plain) ?? reader.take(escapedCharacter)?.slice(1))
        : readOctets(octets, start);
    if (part === undefined) return value;
    value += part;
  }
}

/** Adjacent escaped octets form one UTF-8 sequence. */
function readOctets(escaped: string, start: number): string {
  try {
    return utf8.decode(Buffer.from(escaped.replaceAll("\\", ""), "hex"));
  } catch {
    throw new MalformedDistinguishedName("escaped octets are not UTF-8", start);
  }
}

/** The problem with a character that cannot continue a value. */
const misplaced: Readonly<Record<string, string>> = {
  '"': 'a " is not escaped (values are not put in quotes; write \\")',
  ";": "a ; is not escaped (a comma separates; or write \\;)",
  "<": "a < is not escaped (write \\<)",
  ">": "a > is not escaped (write \\>)",
  "\\": "a \\ is not followed by two hexadecimal digits or by a character that may be escaped",
  "\u0000": "a NUL is in a value",
};

class Reader {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  peek(): string {
    return this.#text.charAt(this.at);
  }

  /** What a sticky expression matches here; `undefined` for no match or an empty one. */
  take(expression: RegExp): string | undefined {
    expression.lastIndex = this.at;
    const found = expression.exec(this.#text)?.[0];
    if (found === undefined || found === "") return undefined;
    this.at += found.length;
    return found;
  }

  /** The text from an index up to here, without unescaped spaces at its end. */
  since(start: number): string {
    return this.#text.slice(start, this.at).replace(/(?<!\\|\s)\s+$/, "");
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
    if (this.at === this.#text.length) return;
    throw this.malformed(misplaced[this.peek()] ?? "something stands where a , or + or the end should");
  }

  malformed(problem: string): MalformedDistinguishedName {
    return new MalformedDistinguishedName(problem, this.at);
  }
}
