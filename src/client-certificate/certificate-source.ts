import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { MalformedCertificateReason } from "../x509/malformed-certificate.ts";

/**
 * The certificate that came with a request: none, one that could not be read (with the reason), or its thumbprint; with
 * its DER where the source has it, which is what a resource server sends that lets its backend decide.
 *
 * The sources here give an `UnreadableReason`.
 */
export type CertificateOfConnection =
  undefined | { readonly unreadable: string } | { readonly x5tS256: string; readonly raw?: Uint8Array };

/**
 * Where the client's certificate of a request comes from; synchronous, and throws nothing for what a client may send.
 *
 * A source that cannot tell says `unreadable`, never `undefined`: that there is no certificate is a statement, too.
 */
export type CertificateSource = (request: IncomingMessage | Http2ServerRequest) => CertificateOfConnection;

/** Why a source could not say which certificate came with a request; stable, for logs and alarms. */
export type UnreadableReason =
  | MalformedCertificateReason
  /** The connection had ended before anyone looked. */
  | "connection_closed"
  /** A header source is configured, and the request does not come from one of its proxies. */
  | "peer_not_trusted"
  /** The header is there twice, or holds a list where one value is due: somebody besides the proxy has written one. */
  | "header_repeated"
  /** The proxy says that it has not verified the certificate, or does not say that it has. */
  | "not_verified"
  /** The proxy says that there is a certificate, and has not sent it: too large for it, as a rule. */
  | "certificate_withheld"
  /** There is a certificate, and the proxy does not say so: it is not the proxy's, or `present` is not what it sends. */
  | "certificate_unannounced"
  /** The value is not percent-encoded text. */
  | "not_percent_encoded"
  /** The value is not a byte sequence (RFC 8941 §3.3.5). */
  | "not_a_byte_sequence"
  /** The value is not the SHA-256 of anything, as it should be written. */
  | "not_sha256"
  /** The value is a SHA-1 fingerprint: nothing can be bound to that. */
  | "sha1_fingerprint"
  /** The value is not a list of elements as Envoy writes it. */
  | "not_xfcc"
  /** There are fewer elements, or more, than the configuration says. */
  | "element_count"
  /** The element names no certificate. */
  | "hash_missing"
  /** The element's hash is not that of its certificate. */
  | "hash_mismatch";

/** Typed shorthand, so that no source invents a reason. */
export function unreadable(reason: UnreadableReason): { readonly unreadable: UnreadableReason } {
  return Object.freeze({ unreadable: reason });
}

/**
 * Whether the request itself is wrong, whatever its certificate is: then the answer is 400, not 401 (RFC 9440 §2.2).
 *
 * @example isMalformedRequest({ unreadable: "header_repeated" }) // true
 */
export function isMalformedRequest(
  certificate: CertificateOfConnection,
): certificate is { readonly unreadable: "header_repeated" } {
  // A source of someone else's may give what is none of these; whoever uses it says so.
  const given: unknown = certificate;
  return typeof given === "object" && given !== null && "unreadable" in given && given.unreadable === "header_repeated";
}
