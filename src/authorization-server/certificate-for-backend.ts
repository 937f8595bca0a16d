import { refuseUnknownOptions } from "../options/refuse-unknown-options.ts";
import type { IncomingMessage } from "node:http";
import { type CertificateSource, isMalformedRequest } from "../client-certificate/certificate-source.ts";
import { givesThumbprintsOnly } from "../client-certificate/header-source.ts";
import { type PeerCertificatePems, peerCertificatePems, tlsSocket } from "../client-certificate/tls-socket.ts";
import { optionError } from "../options/option-error.ts";
import { disown, tellHook } from "../serving/call-harmlessly.ts";
import { writePem } from "../x509/pem.ts";
import { serverError } from "./ask-backend.ts";
import { type EndpointAnswer, errorAnswer } from "./endpoint.ts";

/** Where an endpoint gets the client's certificate from. */
export interface CertificateOptions {
  /**
   * Where the client's certificate comes from; default: the TLS connection. Behind a proxy that ends TLS: the source of
   * its dialect, one that has the certificate itself and not only its thumbprint.
   */
  readonly certificate?: CertificateSource;
  /** Told why a certificate could not be read, or was not listened to, for the operator's log. */
  readonly onUnreadableCertificate?: (reason: string, request: IncomingMessage) => unknown;
}

/** What goes to the backend of a request's certificate, or the answer to a request that has none that could go. */
export type CertificateForBackend = PeerCertificatePems | { readonly answer: EndpointAnswer };

/**
 * Sent instead of a certificate that could not be read: no PEM, so the backend answers as it does for every certificate
 * that it cannot read, for each client in its way. To send nothing would say that there is none.
 */
const noCertificate = "unreadable";

/**
 * How the certificate of a request is read for the backend; throws a `TypeError` with a `code` for wrong options.
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
    throw optionError("certificate", "gives thumbprints only: a backend needs the certificate itself");
  }

  return (request) => {
    // The connection has the path besides, which helps to find the way to an anchor.
    const pems = ofConnection ? peerCertificatePems(request) : undefined;
    if (pems?.clientCertificate !== undefined) return pems;
    // It may have none, or have ended: then nobody knows.
    const certificate = disown(source(request));
    if (certificate === undefined) return { clientCertificatePath: [] };
    if ("unreadable" in certificate) {
      tellHook("onUnreadableCertificate", onUnreadableCertificate, certificate.unreadable, request);
      if (!isMalformedRequest(certificate)) return { clientCertificate: noCertificate, clientCertificatePath: [] };
      const description = "The request has more than one certificate header.";
      return { answer: errorAnswer(400, "invalid_request", description) };
    }
    if (certificate.raw !== undefined) {
      return { clientCertificate: writePem(certificate.raw), clientCertificatePath: [] };
    }
    tellHook("onUnreadableCertificate", onUnreadableCertificate, "thumbprint_only", request);
    return { answer: serverError() };
  };
}
