import { canonicalTypeName, readAttributeType } from "./attribute-types.ts";
import { MalformedDistinguishedName, readWrittenName } from "./read-distinguished-name.ts";

interface Pair {
  readonly type: string;
  /** In the form of RFC 4514, with its escapes. */
  readonly value: string;
}

/** The RDNs in the order of the text, each with its attributes. */
type Rdns = readonly (readonly Pair[])[];

/** The prefix that `openssl x509 -subject` and `-text` print before a name. */
const heading = /^\s*subject\s*[:=]\s*/i;

/**
 * Rewrites a name as printed by a tool in the form of RFC 4514: most general RDN first with spaces around `=` (`openssl
 * x509 -subject`), with slashes, one attribute per line, after `subject=`, or with quoted values.
 *
 * `undefined` for any other form, and for a name that already has its most specific RDN first.
 *
 * @example respellDistinguishedName("C = ES, O = Acme, CN = a") // "CN=a,O=Acme,C=ES"
 */
export function respellDistinguishedName(text: string): string | undefined {
  const body = text.replace(heading, "");
  const printed = readSlashes(body) ?? readLines(body) ?? readCommas(body);
  if (printed === undefined) return undefined;
  const { rdns, generalFirst = isGeneralFirst(rdns) || (body !== text && body.includes(" = ")) } = printed;
  const spelt = write(generalFirst ? rdns.toReversed() : rdns);
  const unchanged = isReadable(text) && !generalFirst && !/[\r\n]/.test(text.trim());
  return unchanged || !isReadable(spelt) ? undefined : spelt;
}

interface Printed {
  readonly rdns: Rdns;
  /** Left out: guess from the attribute types. */
  readonly generalFirst?: true;
}

/** `/C=ES/O=Acme/CN=a`: a slash separates attributes if a type and `=` follow; any other slash belongs to the value. */
function readSlashes(text: string): Printed | undefined {
  if (!text.trimStart().startsWith("/")) return undefined;
  const parts = text
    .trim()
    .slice(1)
    .split(/\/(?=[A-Za-z0-9.]+=)/);
  return readPairs(parts);
}

/** `openssl x509 -subject -nameopt multiline`. */
function readLines(text: string): Printed | undefined {
  const lines = text.trim().split(/\s*[\r\n]+\s*/);
  return lines.length > 1 ? readPairs(lines) : undefined;
}

function readPairs(parts: readonly string[]): Printed | undefined {
  const rdns = parts.map((part): Pair[] => {
    const [, type = "", value = ""] = /^([A-Za-z0-9.]+)\s*=\s*(.*)$/s.exec(part) ?? [];
    // OpenSSL prints octets outside ASCII as \xC3\xA9.
    const octets = value.split(/((?:\\x[0-9A-Fa-f]{2})+)/);
    return [
      {
        type,
        value: octets.map((piece, index) => (index % 2 === 1 ? piece.replaceAll("x", "") : escape(piece))).join(""),
      },
    ];
  });
  return rdns.every(isKnown) ? { rdns, generalFirst: true } : undefined;
}

const attribute = /\s*([A-Za-z0-9.]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|((?:[^",+\\]|\\.)*))\s*([,+]|$)/sy;

/** Separated by `,` and `+`; OpenSSL and Java quote a value that contains a comma. */
function readCommas(text: string): Printed | undefined {
  const rdns: Pair[][] = [[]];
  let separator: string | undefined = ",";
  attribute.lastIndex = 0;
  while (separator !== "") {
    const [, type, quoted, plain = "", end] = attribute.exec(text) ?? [];
    if (type === undefined) return undefined;
    const value =
      quoted === undefined ? plain.replace(/(?<!\\|\s)\s+$/, "") : escape(quoted.replaceAll(/\\(.)/gs, "$1"));
    rdns.at(-1)?.push({ type, value });
    if (end === ",") rdns.push([]);
    separator = end;
  }
  return rdns.every(isKnown) ? { rdns } : undefined;
}

function isKnown(rdn: readonly Pair[]): boolean {
  return rdn.every(({ type }) => readAttributeType(type) !== undefined);
}

/** RFC 4514 §2.4. */
function escape(value: string): string {
  return value.replaceAll(/["+,;<>\\]|^[ #]| $/g, "\\$&");
}

function write(rdns: Rdns): string {
  return rdns.map((rdn) => rdn.map(({ type, value }) => `${canonicalTypeName(type)}=${value}`).join("+")).join(",");
}

function isReadable(text: string): boolean {
  try {
    readWrittenName(text);
    return true;
  } catch (error) {
    if (error instanceof MalformedDistinguishedName) return false;
    throw error;
  }
}

const typesOf = (...names: readonly string[]) => new Set(names.map(readAttributeType));
const country = typesOf("C");
const places = typesOf("C", "DC", "ST", "L", "O", "OU");
const persons = typesOf("CN", "UID", "SERIALNUMBER", "EMAILADDRESS", "SN", "GN", "PSEUDONYM");

/**
 * Whether the first RDN is a place or an organization and the last one a person or a machine, or only the first one is
 * a country. A certificate may have its RDNs in that order, so this is a guess.
 */
function isGeneralFirst(rdns: Rdns): boolean {
  const [first, last] = [rdns[0], rdns.at(-1)];
  if (first === undefined || last === undefined || rdns.length < 2) return false;
  const some = (rdn: readonly Pair[], types: ReadonlySet<string | undefined>) =>
    rdn.some(({ type }) => types.has(readAttributeType(type)));
  if (some(first, persons)) return false;
  return (some(first, country) && !some(last, country)) || (some(first, places) && some(last, persons));
}
