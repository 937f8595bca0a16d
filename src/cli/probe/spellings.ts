import { encodeCertificate } from "./certificate-encodings.ts";
import type { Forgery } from "./dialects.ts";

/** One way to write a header so that what removes it elsewhere might overlook it. */
export interface Spelling {
  readonly name: string;
  /** The header's name; as it is documented when left out. */
  readonly rename?: (name: string) => string;
  /** The lines of the header, without line ends; one "name: value" when left out. */
  readonly lines?: (name: string, value: string, decoy: string) => readonly string[];
  /** It breaks HTTP's grammar (RFC 9112 §5): a connection that ends without an answer has refused it. */
  readonly malformed?: true;
}

const line = (name: string, value: string): string => `${name}: ${value}`;

/** Every spelling that is tried; the last ones break the grammar. */
export const spellings: readonly Spelling[] = [
  { name: "as documented" },
  { name: "lower case", rename: (name) => name.toLowerCase() },
  { name: "upper case", rename: (name) => name.toUpperCase() },
  { name: "underscores", rename: (name) => name.replaceAll("-", "_") },
  // Of several hyphens the last: what removes both forms above does not remove X-SSL_Cert.
  { name: "one underscore", rename: (name) => name.replace(/(-.*)-/, "$1_") },
  { name: "twice, forged first", lines: (name, value, decoy) => [line(name, value), line(name, decoy)] },
  { name: "twice, forged last", lines: (name, value, decoy) => [line(name, decoy), line(name, value)] },
  { name: "folded", lines: (name, value) => [`${name}:`, ` ${value}`], malformed: true },
  {
    name: "folded into another header",
    lines: (name, value) => ["X-Certbound-Probe: 1", ` ${line(name, value)}`],
    malformed: true,
  },
  { name: "blank before the colon", lines: (name, value) => [`${name} : ${value}`], malformed: true },
];

/**
 * The header lines of a forgery in a spelling: this certificate is claimed, the decoy is the one beside it.
 *
 * @example forgedLines({ header: "Client-Cert", encoding: "byte sequence" }, { name: "as documented" }, { der }) // ["Client-Cert: :MIID…:"]
 */
export function forgedLines(
  { header, encoding, beside = {} }: Forgery,
  { rename = (name) => name, lines = (name, value) => [line(name, value)] }: Spelling,
  { der, decoy }: { readonly der: Uint8Array; readonly decoy?: Uint8Array | undefined },
): readonly string[] {
  const claimed = encodeCertificate(der, encoding);
  const other = decoy === undefined ? "" : encodeCertificate(decoy, encoding);
  return [
    ...lines(rename(header), claimed, other),
    ...Object.entries(beside).map(([name, value]) => line(rename(name), value)),
  ];
}
