import { refuseUnknownOptions } from "../options/refuse-unknown-options.ts";
import { optionError } from "../options/option-error.ts";
import { createCertificateMemo } from "../x509/certificate-memo.ts";
import { type CertificateOfConnection, type CertificateSource, unreadable } from "./certificate-source.ts";
import { isTrustedProxies, type TrustedProxies } from "./trusted-proxies.ts";

/** A header and the value that means yes. */
export interface HeaderFlag {
  readonly header: string;
  readonly value: string;
}

/** The options of every source that reads a proxy's header. */
export interface HeaderSourceOptions {
  /** The proxies whose header is trusted; no default. */
  readonly from: TrustedProxies;
  /** The header's name, in any case, if the proxy is configured to use another than its default. */
  readonly header?: string;
  /** A certificate is accepted only if the proxy sends these, too; the proxy must overwrite each of them. */
  readonly verify?: HeaderFlag | readonly HeaderFlag[];
  /**
   * What the proxy sends if and only if there is a certificate: with it, an empty certificate header does not mean "no
   * certificate"; without it, a certificate is rejected.
   */
  readonly present?: HeaderFlag;
}

/** The options for a proxy whose configuration names the header. */
export interface NamedHeaderSourceOptions extends HeaderSourceOptions {
  readonly header: string;
}

/** How one proxy writes its header. */
export interface HeaderFormat {
  readonly header?: string;
  /** Reads the value; throws nothing. */
  readonly read: (value: string) => CertificateOfConnection;
  /** A comma is part of the syntax; in other formats it means that two headers were joined. */
  readonly commas?: true;
  /** Further values that this proxy writes if there is no certificate. */
  readonly absent?: readonly string[];
  /** The value is always a thumbprint. */
  readonly thumbprintOnly?: true;
  /** Options of this format only. */
  readonly options?: readonly string[];
}

/**
 * RFC 9110 §5.1, without the underscore: proxies and CGI read `X_SSL_Cert` as `X-SSL-Cert`, which a client could use.
 */
const headerName = /^[A-Za-z0-9!#$%&'*+.^`|~-]+$/;

/** Characters; far above any certificate and above Node's default limit. */
const largestValue = 131_072;

const thumbprintSources = new WeakSet<CertificateSource>();

/**
 * Creates the source for one format; it checks the peer, then the header, then the flags, then the value.
 *
 * A request from an unlisted peer is always `peer_not_trusted`; the socket's certificate is never used instead. A value
 * that was read before costs a map lookup. Throws a `TypeError` with a `code` for wrong options.
 */
export function createHeaderSource(options: HeaderSourceOptions, format: HeaderFormat): CertificateSource {
  checkOptions(options, format);
  const header = readName("header", options.header ?? format.header);
  const flags = readFlags("verify", options.verify);
  const [present] = readFlags("present", options.present);
  const { from } = options;
  const { read, commas } = format;
  // For no certificate, nginx and HAProxy write nothing, Apache `(null)`, log formats a dash.
  const absent = ["", "(null)", "-", ...(format.absent ?? [])];
  // Readable certificates only, by the exact text.
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

/** Returns the options; throws if they are not an object, since a program without types may omit them. */
export function givenOptions<Options extends object>(options: Options): Options {
  if (typeof options !== "object" || (options as unknown) === null) throw optionError("options", "must be an object");
  return options;
}

/**
 * Returns the reader that the option `encoding` names; throws a `TypeError` with a `code` for an unknown name.
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

/** Whether a source gives thumbprints only, which are not enough for an authorization server. */
export function givesThumbprintsOnly(source: CertificateSource): boolean {
  return thumbprintSources.has(source);
}

const repeated = Symbol("repeated");

/** Reads the raw list, because Node joins repeated headers or keeps the first, depending on the name. */
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

/** No certificate was sent: none, unless the proxy announces one. */
function withoutCertificate(rawHeaders: readonly string[], present: HeaderFlag | undefined): CertificateOfConnection {
  if (present === undefined) return undefined;
  const says = onlyValue(rawHeaders, present.header);
  if (says === repeated) return unreadable("header_repeated");
  return says === present.value ? unreadable("certificate_withheld") : undefined;
}

/** 20 octets in hexadecimal, with or without colons; shorter than any encoded certificate. */
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
    // An empty value would match a header that was sent empty.
    if (typeof value !== "string" || value === "") throw optionError(`${option}.value`, "must be text");
    return { header: readName(`${option}.header`, header), value };
  });
}
