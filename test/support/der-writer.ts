import { isIPv6 } from "node:net";

/** One DER element: a tag octet, the minimal length, the content. */
export function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.of(tag, body.length), body]);
  const digits = body.length.toString(16);
  const length = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
  return Buffer.concat([Buffer.of(tag, 0x80 | length.length), length, body]);
}

export function sequence(...content: readonly Uint8Array[]): Buffer {
  return element(0x30, ...content);
}

/** SET OF: DER wants its elements in the order of their encodings (X.690 §11.6). */
function set(...content: readonly Uint8Array[]): Buffer {
  return element(0x31, ...content.toSorted((a, b) => Buffer.compare(a, b)));
}

/** A positive INTEGER of these octets. */
export function integer(magnitude: Uint8Array): Buffer {
  const start = magnitude.findIndex((octet) => octet !== 0);
  const digits = start === -1 ? Buffer.of(0) : magnitude.subarray(start);
  return (digits[0] ?? 0) < 0x80 ? element(0x02, digits) : element(0x02, Buffer.of(0), digits);
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280 §4.1.2.5). */
export function time(instant: Date): Buffer {
  const digits = instant.toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return digits < "2050" ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits));
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split(".").map(Number);
  const octets = [first * 40 + second, ...others].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128))
      groups.unshift((rest & 0x7f) | 0x80);
    return groups;
  });
  return element(0x06, Uint8Array.from(octets));
}

/** The ASN.1 string types of names (RFC 5280 §4.1.2.4), by a short word. */
export type StringType = "utf8" | "printable" | "ia5" | "teletex" | "bmp" | "universal";

const stringTags: Record<StringType, number> = {
  utf8: 12,
  printable: 19,
  ia5: 22,
  teletex: 20,
  bmp: 30,
  universal: 28,
};

/** Text in one of those types; nothing checks that the type can hold it. */
export function text(type: StringType, value: string): Buffer {
  if (type === "utf8") return element(stringTags.utf8, Buffer.from(value, "utf8"));
  if (type === "bmp") return element(stringTags.bmp, Buffer.from(value, "utf16le").swap16());
  if (type !== "universal") return element(stringTags[type], Buffer.from(value, "latin1"));
  const octets = Array.from(value, (character) => {
    const unit = Buffer.alloc(4);
    unit.writeUInt32BE(character.codePointAt(0) ?? 0);
    return unit;
  });
  return element(stringTags.universal, ...octets);
}

const attributeTypes: Record<string, string> = {
  CN: "2.5.4.3",
  SN: "2.5.4.4",
  SERIALNUMBER: "2.5.4.5",
  C: "2.5.4.6",
  L: "2.5.4.7",
  ST: "2.5.4.8",
  STREET: "2.5.4.9",
  O: "2.5.4.10",
  OU: "2.5.4.11",
  DC: "0.9.2342.19200300.100.1.25",
  UID: "0.9.2342.19200300.100.1.1",
  emailAddress: "1.2.840.113549.1.9.1",
};

const usualTypes: Record<string, StringType> = {
  C: "printable",
  SERIALNUMBER: "printable",
  DC: "ia5",
  emailAddress: "ia5",
};

/** An attribute of a name: a short name or a dotted OID, and its text or its ready value as DER. */
export interface Attribute {
  readonly type: string;
  readonly value: string | Uint8Array;
  /** Left out: the usual one, UTF8String for most. */
  readonly as?: StringType;
}

/** A name as an RFC 4514 string, or as its RDNs in the order of the certificate (which is the reverse). */
export type NameSource = string | readonly (readonly Attribute[])[];

/** A Name (RFC 5280 §4.1.2.4) as DER. */
export function name(source: NameSource): Buffer {
  const rdns = typeof source === "string" ? readName(source) : source;
  return sequence(...rdns.map((rdn) => set(...rdn.map(attribute))));
}

function attribute({ type, value, as }: Attribute): Buffer {
  const ready = typeof value === "string" ? text(as ?? usualTypes[type] ?? "utf8", value) : value;
  return sequence(objectIdentifier(attributeTypes[type] ?? type), ready);
}

/** Enough of RFC 4514 for tests: `\` before a character, no hex pairs. */
function readName(source: string): Attribute[][] {
  if (source === "") return [];
  const rdns = source.split(/(?<!\\),/).map((rdn) =>
    rdn.split(/(?<!\\)\+/).map((pair) => {
      const equals = pair.indexOf("=");
      return { type: pair.slice(0, equals).trim(), value: pair.slice(equals + 1).replaceAll(/\\(.)/g, "$1") };
    }),
  );
  return rdns.reverse();
}

/** One entry of a subjectAltName; a string is written octet for octet (Latin-1), whatever it holds. */
export type SubjectAltName =
  | { readonly dns: string }
  | { readonly uri: string }
  | { readonly email: string }
  /** IPv4 or IPv6 text, or the octets themselves. */
  | { readonly ip: string | Uint8Array }
  /** Any GeneralName as DER. */
  | { readonly der: Uint8Array };

/** GeneralNames (RFC 5280 §4.2.1.6) as DER. */
export function generalNames(entries: readonly SubjectAltName[]): Buffer {
  return sequence(
    ...entries.map((entry) => {
      if ("der" in entry) return entry.der;
      if ("dns" in entry) return element(0x82, Buffer.from(entry.dns, "latin1"));
      if ("uri" in entry) return element(0x86, Buffer.from(entry.uri, "latin1"));
      if ("email" in entry) return element(0x81, Buffer.from(entry.email, "latin1"));
      return element(0x87, typeof entry.ip === "string" ? ipOctets(entry.ip) : entry.ip);
    }),
  );
}

function ipOctets(address: string): Uint8Array {
  if (!isIPv6(address)) return Uint8Array.from(address.split(".").map(Number));
  const [head = "", tail] = address.split("::");
  const groups = (part: string): number[] =>
    part
      .split(":")
      .filter(Boolean)
      .map((group) => parseInt(group, 16));
  const [left, right] = [groups(head), groups(tail ?? "")];
  const middle = tail === undefined ? [] : Array<number>(8 - left.length - right.length).fill(0);
  return Uint8Array.from([...left, ...middle, ...right].flatMap((group) => [group >> 8, group & 0xff]));
}
