import { optionError } from "../../options/option-error.ts";
import type { CertificateOfConnection, CertificateSource } from "../certificate-source.ts";
import { type ForwardedElement, onlyPair, readForwardedClientCert } from "../encodings/forwarded-client-cert.ts";
import { readPercentEncodedPem } from "../encodings/percent-encoded.ts";
import { readHexSha256 } from "../encodings/sha256-fingerprint.ts";
import { createHeaderSource, givenOptions, type HeaderSourceOptions } from "../header-source.ts";
import { unreadable } from "../unreadable-reason.ts";

/** The options of `envoy`. */
export interface EnvoyOptions extends HeaderSourceOptions {
  /**
   * Which hop's client is meant. `only` (default): refused unless there is exactly one, as with SANITIZE_SET; then
   * nothing that a client or its certificate writes can add one. `last`: that of the Envoy which calls here.
   * `second-to-last`: that of the one before, where a sidecar adds an element of its own. With these two a client whose
   * certificate has a comma in a subject alternative name adds an element too, where Envoy is told to write those.
   */
  readonly element?: "only" | "last" | "second-to-last";
}

/**
 * Envoy and Istio: `x-forwarded-client-cert`, an element for each hop, with the certificate's SHA-256 as `Hash`.
 *
 * Where Envoy is told to send `Cert`, the two must agree, and the source has the certificate itself. Without it, as
 * with Istio, there is only the thumbprint. `Chain` is not looked at. Not for Cloud Foundry's header of the
 * same name.
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
