import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { MalformedCertificateReason } from "../x509/malformed-certificate.ts";

/**
 * The client certificate of a request: none, an unreadable one with the reason, or its thumbprint; with its DER where
 * the source has it, which a resource server sends with `decide: "backend"`.
 *
 * The sources of this package give an `UnreadableReason`.
 */
export type CertificateOfConnection =
  undefined | { readonly unreadable: string } | { readonly x5tS256: string; readonly raw?: Uint8Array };

/**
 * Reads the client certificate of a request; synchronous, and throws nothing for anything a client can send.
 *
 * A source that cannot decide returns `unreadable`, never `undefined`, which states that the client has no certificate.
 */
export type CertificateSource = (request: IncomingMessage | Http2ServerRequest) => CertificateOfConnection;

/** Why a source could not read the certificate of a request; stable, for logs and alarms. */
export type UnreadableReason =
  | MalformedCertificateReason
  /** The connection ended before the certificate was read. */
  | "connection_closed"
  /** A header source is configured, and the request did not come from one of its proxies. */
  | "peer_not_trusted"
  /** The header came twice, or has a list instead of one value: someone other than the proxy wrote one. */
  | "header_repeated"
  /** The proxy says that it did not verify the certificate, or does not say that it did. */
  | "not_verified"
  /** The proxy says that there is a certificate, and did not send it, usually because it is too large. */
  | "certificate_withheld"
  /**
   * There is a certificate that the proxy does not announce: someone else wrote it, or `present` is configured wrongly.
   */
  | "certificate_unannounced"
  /** The value is not percent-encoded text. */
  | "not_percent_encoded"
  /** The value is not a byte sequence (RFC 8941 §3.3.5). */
  | "not_a_byte_sequence"
  /** The value is not a SHA-256 in the expected form. */
  | "not_sha256"
  /** The value is a SHA-1 fingerprint, to which no token can be bound. */
  | "sha1_fingerprint"
  /** The value is not a list of elements in Envoy's format. */
  | "not_xfcc"
  /** The number of elements is not what the configuration says. */
  | "element_count"
  /** The element has neither a hash nor a certificate. */
  | "hash_missing"
  /** The element's hash is not that of its certificate. */
  | "hash_mismatch";

/** Creates an unreadable certificate; typed, so that every source gives a known reason. */
export function unreadable(reason: UnreadableReason): { readonly unreadable: UnreadableReason } {
  return Object.freeze({ unreadable: reason });
}

/**
 * Whether the request itself is malformed, which is answered with 400 and not 401 (RFC 9440 §2.2).
 *
 * @example isMalformedRequest({ unreadable: "header_repeated" }) // true
 */
export function isMalformedRequest(
  certificate: CertificateOfConnection,
): certificate is { readonly unreadable: "header_repeated" } {
  // A source of the user's may return anything; its type is checked later.
  const given: unknown = certificate;
  return typeof given === "object" && given !== null && "unreadable" in given && given.unreadable === "header_repeated";
}
