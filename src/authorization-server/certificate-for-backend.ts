import type { IncomingMessage } from "node:http";
import { type CertificateSource, isMalformedRequest } from "../client-certificate/certificate-source.ts";
import { givesThumbprintsOnly } from "../client-certificate/header-source.ts";
import { type PeerCertificatePems, peerCertificatePems, tlsSocket } from "../client-certificate/tls-socket.ts";
import { optionError } from "../options/option-error.ts";
import { disown, tellHook } from "../serving/call-harmlessly.ts";
import { writePem } from "../x509/pem.ts";
import { serverError } from "./ask-backend.ts";
import { type EndpointAnswer, oauthErrorAnswer } from "./endpoint.ts";
import { refuseUnknownOptions } from "../options/refuse-unknown-options.ts";

/** Where an endpoint gets the client's certificate from. */
export interface CertificateOptions {
  /**
   * The source of the client's certificate; default: the TLS connection. Behind a proxy that terminates TLS: the source
   * for its header. It must give the certificate itself, not only a thumbprint.
   */
  readonly certificate?: CertificateSource;
  /** Called with the reason if a certificate could not be read or was not used, for the operator's log. */
  readonly onUnreadableCertificate?: (reason: string, request: IncomingMessage) => unknown;
}

/** The certificate for the backend, or the error response to a request whose certificate cannot be forwarded. */
export type CertificateForBackend = PeerCertificatePems | { readonly error: EndpointAnswer };

/**
 * Sent instead of an unreadable certificate. It is not PEM, so the backend treats it as an unreadable certificate,
 * depending on the client. Sending nothing would mean that the client has no certificate.
 */
const noCertificate = "unreadable";

/**
 * Creates the function that reads a request's certificate. Throws a `TypeError` with a `code` for wrong options.
 *
 * @example certificateForBackend({ certificate: nginx({ from, header: "X-SSL-Cert" }) })(request).clientCertificate
 */
export function certificateForBackend(
  options: CertificateOptions,
): (request: IncomingMessage) => CertificateForBackend {
  refuseUnknownOptions(options, ["certificate", "onUnreadableCertificate"]);
  const { certificate: source = tlsSocket(), onUnreadableCertificate } = options;
  const ofConnection = source === tlsSocket();
  if (typeof source !== "function") throw optionError("certificate", "must be a certificate source");
  if (givesThumbprintsOnly(source)) {
    throw optionError("certificate", "gives thumbprints only, but the backend needs the certificate itself");
  }

  return (request) => {
    // The connection also has the chain, which helps to build a path to a trust anchor.
    const pems = ofConnection ? peerCertificatePems(request) : undefined;
    if (pems?.clientCertificate !== undefined) return pems;
    // The client may have no certificate, or the connection may be closed already.
    const certificate = disown(source(request));
    if (certificate === undefined) return { clientCertificatePath: [] };
    if ("unreadable" in certificate) {
      tellHook("onUnreadableCertificate", onUnreadableCertificate, certificate.unreadable, request);
      if (!isMalformedRequest(certificate)) return { clientCertificate: noCertificate, clientCertificatePath: [] };
      const description = "The request has more than one certificate header.";
      return { error: oauthErrorAnswer(400, "invalid_request", description) };
    }
    if (certificate.raw !== undefined) {
      return { clientCertificate: writePem(certificate.raw), clientCertificatePath: [] };
    }
    tellHook("onUnreadableCertificate", onUnreadableCertificate, "thumbprint_only", request);
    return { error: serverError() };
  };
}
