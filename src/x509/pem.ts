import { MalformedCertificate } from "./malformed-certificate.ts";

const begin = "-----BEGIN ";
const beginCertificate = "-----BEGIN CERTIFICATE-----";
const endCertificate = "-----END CERTIFICATE-----";

/** White space around and between the lines of a PEM text; a front end may have flattened its newlines. */
const whitespace = " \t\r\n";

/** A block of a PEM file, from its BEGIN to its END marker. */
export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`, … */
  readonly label: string;
  readonly text: string;
  /** Whether it has an END marker with the same label. */
  readonly isWhole: boolean;
}

/**
 * Splits a file that a person provides into its PEM blocks; ignores text between them (RFC 7468 §2): comments, and the
 * `Bag Attributes` and `subject=` lines that OpenSSL prints.
 *
 * @example pemBlocks(file).map(({ label }) => label) // ["CERTIFICATE", "CERTIFICATE"]
 */
export function pemBlocks(file: string): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  for (let start = file.indexOf(begin); start !== -1;) {
    const next = file.indexOf(begin, start + begin.length);
    const [, label = ""] = /^-----BEGIN ([^\n\r-]{0,64})-----/.exec(file.slice(start, start + 100)) ?? [];
    const closing = `-----END ${label}-----`;
    const section = file.slice(start, next === -1 ? undefined : next);
    const end = label === "" ? -1 : section.indexOf(closing);
    const isWhole = end !== -1;
    blocks.push({ label, text: isWhole ? section.slice(0, end + closing.length) : section, isWhole });
    start = next;
  }
  return blocks;
}

/**
 * Returns the PEM text of each certificate in a file that a person provides, at least one, for `readPem`.
 *
 * Ignores text between the blocks, as {@link pemBlocks} does. Throws {@link MalformedCertificate}: no block, a private
 * key, a block of another kind, an incomplete block.
 */
export function certificateBlocks(file: string): readonly [string, ...string[]] {
  const blocks = pemBlocks(file);
  if (blocks.some(({ label }) => label.endsWith("PRIVATE KEY"))) throw new MalformedCertificate("private_key");
  const [first, ...others] = blocks.map(({ label, text, isWhole }, index) => {
    if (label !== "CERTIFICATE") throw new MalformedCertificate("not_a_certificate", index + 1);
    if (!isWhole) throw new MalformedCertificate("not_pem", index + 1);
    return text;
  });
  if (first === undefined) throw new MalformedCertificate(trim(file) === "" ? "empty" : "not_pem");
  return [first, ...others];
}

/**
 * Reads the octets of a PEM text with exactly one certificate and nothing else, as the API accepts it (RFC 7468 §5).
 *
 * Newlines may be any mixture of CR, LF, spaces and tabs, or missing. Throws {@link MalformedCertificate}: no markers,
 * text outside them, two certificates, another kind of block, base64 that is not canonical.
 */
export function readPem(text: string): Buffer {
  const trimmed = trim(text);
  if (trimmed === "") throw new MalformedCertificate("empty");
  checkMarkers(trimmed);
  const base64 = trimmed.slice(beginCertificate.length, -endCertificate.length).replaceAll(/[ \t\r\n]+/g, "");
  if (base64 === "") throw new MalformedCertificate("empty");
  const octets = Buffer.from(base64, "base64");
  // Node skips characters that are not base64; a text that encodes differently was not canonical.
  if (octets.toString("base64") !== base64) throw new MalformedCertificate("bad_base64");
  return octets;
}

function checkMarkers(trimmed: string): void {
  // First, and anywhere in the text: the operator must learn from the log that a private key was sent.
  if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY/.test(trimmed)) throw new MalformedCertificate("private_key");
  const first = trimmed.indexOf(begin);
  if (first === -1) throw new MalformedCertificate("not_pem");
  if (first > 0) throw new MalformedCertificate("text_outside");
  if (!trimmed.startsWith(beginCertificate)) throw new MalformedCertificate("not_a_certificate");
  if (trimmed.includes(begin, begin.length)) throw new MalformedCertificate("several_certificates");
  const end = trimmed.indexOf(endCertificate, beginCertificate.length);
  if (end === -1) throw new MalformedCertificate("not_pem");
  if (end + endCertificate.length !== trimmed.length) throw new MalformedCertificate("text_outside");
}

/** A loop: a regular expression anchored at the end takes quadratic time, and `trim` removes more characters. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && whitespace.includes(text.charAt(start))) start += 1;
  while (end > start && whitespace.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/**
 * Writes a certificate's octets as PEM text (RFC 7468 §5).
 *
 * @example writePem(certificate.raw) // "-----BEGIN CERTIFICATE-----\nMII…"
 */
export function writePem(der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("base64");
  return `${[beginCertificate, ...(base64.match(/.{1,64}/g) ?? []), endCertificate].join("\n")}\n`;
}
