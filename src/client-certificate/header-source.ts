import { refuseUnknownOptions } from "../options/refuse-unknown-options.ts";
import { optionError } from "../options/option-error.ts";
import { createCertificateMemo } from "../x509/certificate-memo.ts";
import { type CertificateOfConnection, type CertificateSource, unreadable } from "./certificate-source.ts";
import { isTrustedProxies, type TrustedProxies } from "./trusted-proxies.ts";

/** A header and the value that it has when what it says is true. */
export interface HeaderFlag {
  readonly header: string;
  readonly value: string;
}

/** What every source that reads a proxy's header takes. */
export interface HeaderSourceOptions {
  /** The proxies whose header counts; there is no default. */
  readonly from: TrustedProxies;
  /** The header's name, in any case, where the proxy's configuration says another than usual. */
  readonly header?: string;
  /** A certificate counts only when the proxy sends these, too; each is one that the proxy overwrites. */
  readonly verify?: HeaderFlag | readonly HeaderFlag[];
  /**
   * What the proxy sends when there is a certificate, and only then: with it an empty certificate header is not "no
   * certificate", and without it a certificate is nobody's.
   */
  readonly present?: HeaderFlag;
}

/** The same, of a proxy whose configuration names the header. */
export interface NamedHeaderSourceOptions extends HeaderSourceOptions {
  readonly header: string;
}

/** What is peculiar to one proxy. */
export interface HeaderFormat {
  readonly header?: string;
  /** The value's reader; it throws nothing. */
  readonly read: (value: string) => CertificateOfConnection;
  /** A comma is part of the syntax; elsewhere it means that two headers have become one. */
  readonly commas?: true;
  /** What this proxy writes where there is no certificate, besides what others do. */
  readonly absent?: readonly string[];
  /** The value is only ever a thumbprint. */
  readonly thumbprintOnly?: true;
  /** Options of this format alone. */
  readonly options?: readonly string[];
}

/** RFC 9110 §5.1, without the underscore: proxies and CGI take `X_SSL_Cert` for `X-SSL-Cert`, and clients know it. */
const headerName = /^[A-Za-z0-9!#$%&'*+.^`|~-]+$/;

/** Characters; far above any certificate, and above what Node lets through unless it is told to. */
const largestValue = 131_072;

const thumbprintSources = new WeakSet<CertificateSource>();

/**
 * Makes the source of one format: peer first, then the one header, then its flags, then its value.
 *
 * A request from a peer that is not listed is `peer_not_trusted` whatever it holds; the socket is never asked instead.
 * A value that was read before costs a map lookup. Throws a `TypeError` with a `code` for wrong options.
 */
export function createHeaderSource(options: HeaderSourceOptions, format: HeaderFormat): CertificateSource {
  checkOptions(options, format);
  const header = readName("header", options.header ?? format.header);
  const flags = readFlags("verify", options.verify);
  const [present] = readFlags("present", options.present);
  const { from } = options;
  const { read, commas } = format;
  // nginx and HAProxy write nothing, Apache `(null)`, log formats a dash.
  const absent = ["", "(null)", "-", ...(format.absent ?? [])];
  // Only what was a certificate, by the exact text.
  const memo = createCertificateMemo<CertificateOfConnection>({ maxEntries: 4096, maxOctets: 16_777_216 });

  const source: CertificateSource = (request) => {
    const trusted = from.sent(request);
    if (trusted !== true) return unreadable(trusted === undefined ? "connection_closed" : "peer_not_trusted");
    const { rawHeaders } = request;
    const value = onlyValue(rawHeaders, header);
    if (value === repeated) return unreadable("header_repeated");
    if (value === undefined || absent.includes(value)) return withoutCertificate(rawHeaders, present);
    if (commas !== true && value.includes(",")) return unreadable("header_repeated");
    for (const flag of flags) if (onlyValue(rawHeaders, flag.header) !== flag.value) return unreadable("not_verified");
    if (present !== undefined && onlyValue(rawHeaders, present.header) !== present.value) {
      return unreadable("certificate_unannounced");
    }
    const known = memo.get(value);
    if (known !== undefined) return known;
    if (value.length > largestValue) return unreadable("too_large");
    if (isSha1(value)) return unreadable("sha1_fingerprint");
    const certificate = read(value);
    if (certificate === undefined || "unreadable" in certificate) return certificate;
    const frozen = Object.freeze(certificate);
    memo.set(value, frozen, value.length + (frozen.raw?.length ?? 0));
    return frozen;
  };
  if (format.thumbprintOnly === true) thumbprintSources.add(source);
  return source;
}

/** The options, if they are any: a program without types may leave them out. */
export function givenOptions<Options extends object>(options: Options): Options {
  if (typeof options !== "object" || (options as unknown) === null) throw optionError("options", "must be an object");
  return options;
}

/**
 * The reader that an option `encoding` names; throws a `TypeError` with a `code` for a name that there is not.
 *
 * @example readerFor({ base64: readBase64Der }, "base64")
 */
export function readerFor<Name extends string>(
  readers: Readonly<Record<Name, HeaderFormat["read"]>>,
  name: Name,
): HeaderFormat["read"] {
  if (Object.hasOwn(readers, name)) return readers[name];
  throw optionError("encoding", `must be one of ${Object.keys(readers).join(", ")}`);
}

/** Whether a source made here never has more than a thumbprint, which is too little for an authorization server. */
export function givesThumbprintsOnly(source: CertificateSource): boolean {
  return thumbprintSources.has(source);
}

const repeated = Symbol("repeated");

/** By the raw list: Node joins a header that came twice, or keeps the first, as it thinks best for the name. */
function onlyValue(rawHeaders: readonly string[], wanted: string): string | typeof repeated | undefined {
  let found: string | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (name.length !== wanted.length || name.toLowerCase() !== wanted) continue;
    if (found !== undefined) return repeated;
    found = rawHeaders[at + 1] ?? "";
  }
  return found;
}

/** There is no certificate, unless the proxy says that there is one. */
function withoutCertificate(rawHeaders: readonly string[], present: HeaderFlag | undefined): CertificateOfConnection {
  if (present === undefined) return undefined;
  const says = onlyValue(rawHeaders, present.header);
  if (says === repeated) return unreadable("header_repeated");
  return says === present.value ? unreadable("certificate_withheld") : undefined;
}

/** 20 octets in hexadecimal, with or without colons; shorter than any certificate in any encoding. */
function isSha1(value: string): boolean {
  return value.length <= 59 && /^[0-9a-f]{2}(?::?[0-9a-f]{2}){19}$/i.test(value);
}

const commonOptions = ["from", "header", "verify", "present"];

function checkOptions(options: HeaderSourceOptions, format: HeaderFormat): void {
  refuseUnknownOptions(givenOptions(options), [...commonOptions, ...(format.options ?? [])]);
  if (!isTrustedProxies(options.from)) {
    throw optionError("from", "must be trustedProxies([…]): a header counts only when one of them has sent it");
  }
}

function readName(option: string, name: unknown): string {
  if (typeof name !== "string" || !headerName.test(name))
    throw optionError(option, "must be a header's name, without underscores");
  return name.toLowerCase();
}

function readFlags(option: string, given: HeaderFlag | readonly HeaderFlag[] | undefined): readonly HeaderFlag[] {
  if (given === undefined) return [];
  const flags: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (flags.length === 0) throw optionError(option, "must not be empty");
  return flags.map((flag) => {
    if (typeof flag !== "object" || flag === null || Object.keys(flag).sort().join() !== "header,value") {
      throw optionError(option, "must be { header, value }");
    }
    const { header, value } = flag as { readonly header: unknown; readonly value: unknown };
    // An empty value would be met by a header that nobody sends.
    if (typeof value !== "string" || value === "") throw optionError(`${option}.value`, "must be text");
    return { header: readName(`${option}.header`, header), value };
  });
}
