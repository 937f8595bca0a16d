import { optionError } from "../../options/option-error.ts";
import { type CertificateOfConnection, type CertificateSource, unreadable } from "../certificate-source.ts";
import { readPercentEncodedPem, readHexSha256 } from "../certificate-encodings.ts";
import { createHeaderSource, givenOptions, type HeaderSourceOptions } from "../header-source.ts";

/** The pairs of one element, in order; a key may occur more than once. Keys are in lower case. */
export type ForwardedElement = readonly (readonly [key: string, value: string])[];

/** More than any path of proxies has, and more pairs than Envoy writes. */
const mostElements = 32;
const mostPairs = 1024;

/** One pair after the last one: a key, `=`, and a value in quotes or up to the next separator. */
const pair = /([A-Za-z]+)=(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^",;]*))([,;]|$)/y;

/**
 * Reads the list that Envoy writes into `x-forwarded-client-cert`: elements separated by commas, pairs by semicolons,
 * values quoted if they contain either. `undefined` for any other text.
 *
 * In quotes a backslash escapes the next character, so that a distinguished name cannot end its quotes. An unquoted
 * value may have any character except separators and quotes.
 *
 * @example readForwardedClientCert('By=spiffe://a;Hash=9add…;Subject="CN=a,O=b",By=spiffe://b;Hash=…') // two elements
 */
export function readForwardedClientCert(value: string): readonly ForwardedElement[] | undefined {
  const elements: (readonly [string, string])[][] = [[]];
  let at = 0;
  for (let pairs = 0; pairs < mostPairs; pairs += 1) {
    pair.lastIndex = at;
    const found = pair.exec(value);
    if (found === null) return undefined;
    const [, key = "", quoted, bare = "", separator] = found;
    elements.at(-1)?.push([key.toLowerCase(), quoted?.replaceAll(/\\(.)/g, "$1") ?? bare]);
    if (separator === "") return elements;
    at = pair.lastIndex;
    if (separator === ",") {
      if (elements.length === mostElements) return undefined;
      // A list may have spaces after its commas (RFC 9110 §5.6.1).
      while (value[at] === " " || value[at] === "\t") at += 1;
      elements.push([]);
    }
  }
  return undefined;
}

/**
 * Returns the only value of a key; `undefined` if it is missing, `null` if it occurs twice.
 *
 * @example onlyPair([["hash", "9add…"]], "hash") // "9add…"
 */
export function onlyPair(element: ForwardedElement, key: string): string | null | undefined {
  const values = element.filter(([name]) => name === key);
  return values.length > 1 ? null : values[0]?.[1];
}

/** The options of `envoy`. */
export interface EnvoyOptions extends HeaderSourceOptions {
  /**
   * Which element to read. `only` (default): rejected unless there is exactly one, as with SANITIZE_SET; then neither a
   * client nor its certificate can add one. `last`: the element of the Envoy that calls this server. `second-to-last`:
   * the one before, if a sidecar adds its own element. With these two, a client whose certificate has a comma in a
   * subject alternative name adds an element, if Envoy is configured to write those names.
   */
  readonly element?: "only" | "last" | "second-to-last";
}

/**
 * Envoy and Istio: `x-forwarded-client-cert`, an element for each hop, with the certificate's SHA-256 as `Hash`.
 *
 * If Envoy also sends `Cert`, both must match, and the source has the certificate itself. Without it, as with Istio,
 * the source has only the thumbprint. `Chain` is ignored. Not for Cloud Foundry's header of the same name.
 *
 * @example envoy({ from: trustedProxies(["127.0.0.1"]) })
 */
export function envoy(options: EnvoyOptions): CertificateSource {
  const element = givenOptions(options).element ?? "only";
  if (!(["only", "last", "second-to-last"] as unknown[]).includes(element)) {
    throw optionError("element", 'must be "only", "last" or "second-to-last"');
  }
  const read = (value: string): CertificateOfConnection => {
    const elements = readForwardedClientCert(value);
    if (elements === undefined) return unreadable("not_xfcc");
    const chosen =
      element === "only" && elements.length > 1 ? undefined : elements.at(element === "second-to-last" ? -2 : -1);
    return chosen === undefined ? unreadable("element_count") : readElement(chosen);
  };
  return createHeaderSource(options, { header: "x-forwarded-client-cert", read, commas: true, options: ["element"] });
}

function readElement(element: ForwardedElement): CertificateOfConnection {
  const hash = onlyPair(element, "hash");
  const cert = onlyPair(element, "cert");
  if (hash === null || cert === null) return unreadable("not_xfcc");
  if (hash === undefined && cert === undefined) return unreadable("hash_missing");
  const thumbprint = hash === undefined ? undefined : readHexSha256(hash);
  if (thumbprint !== undefined && "unreadable" in thumbprint) return thumbprint;
  if (cert === undefined) return thumbprint;
  const certificate = readPercentEncodedPem(cert);
  if ("unreadable" in certificate || thumbprint === undefined) return certificate;
  return certificate.x5tS256 === thumbprint.x5tS256 ? certificate : unreadable("hash_mismatch");
}
