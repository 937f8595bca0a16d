import { X509Certificate } from "node:crypto";
import { MalformedCertificate, type MalformedCertificateReason } from "../../x509/malformed-certificate.ts";
import { pemBlocks } from "../../x509/pem.ts";
import { readCertificates } from "../../x509/read-certificate.ts";
import type { Problem } from "./configuration-error.ts";

/** The operator's next step; without an entry the sentence is enough. */
const advice: Partial<Record<MalformedCertificateReason, string>> = {
  empty: "give the text of a certificate, or { file: PATH }",
  not_pem: "give PEM text or { file: PATH }; openssl x509 -inform der -in FILE makes PEM from DER",
  private_key: "keep it secret, and name the certificate's file instead",
  bad_base64: "the file may be damaged: copy it anew",
  not_der: "the file may be damaged: copy it anew",
  trailing_bytes: "openssl x509 -in FILE prints the certificate alone",
};

/**
 * Why a file is not a list of PEM certificates, and what to do; `undefined` when it is one (RFC 7468 §2).
 *
 * @example explainCertificates("") // "there is no certificate in it; give the text of a certificate, or { file: PATH }"
 */
function explainCertificates(file: string): string | undefined {
  try {
    readCertificates(file);
    return undefined;
  } catch (error) {
    if (!(error instanceof MalformedCertificate)) throw error;
    const which = error.place === undefined || error.place === 1 ? "" : `its certificate ${error.place}: `;
    const whatToDo = advice[error.reason];
    return `${which}${error.clause}${whatToDo === undefined ? "" : `; ${whatToDo}`}`;
  }
}

/** OpenSSL takes these three labels for the certificate of a listener, and passes over other blocks. */
const certificateLabel = /^(?:X509 |TRUSTED )?CERTIFICATE$/;

/**
 * Why a text is not a certificate and its chain in PEM, one after another and as OpenSSL reads it; `undefined` when it is.
 *
 * @example explainCertificateChain(leaf + "-----BEGIN CERTIFICATE-----") // "its certificate 2 cannot be read: …"
 */
export function explainCertificateChain(pem: string): string | undefined {
  const blocks = chainBlocks(pem);
  if (blocks.length === 0) return explainCertificates(pem) ?? "there is no certificate in it";
  const wrong = blocks.findIndex((block) => readOne(block) === undefined);
  const block = blocks[wrong];
  if (block === undefined) return undefined;
  return `its certificate ${wrong + 1} cannot be read: ${explainCertificates(block) ?? "OpenSSL refuses it"}`;
}

/** The certificates of a text that {@link explainCertificateChain} has no objection to, in its order. */
export function readCertificateChain(pem: string): X509Certificate[] {
  return chainBlocks(pem).flatMap((block) => readOne(block) ?? []);
}

function chainBlocks(pem: string): readonly string[] {
  return pemBlocks(pem).flatMap(({ label, text }) => (certificateLabel.test(label) ? [text] : []));
}

/** An error message of node:crypto may quote unreadable input. */
function readOne(block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block);
  } catch {
    return undefined;
  }
}

/** Each entry must be a file of PEM certificates, one at least. */
export function* checkAnchors(anchors: readonly string[] | undefined, at: string): Generator<Problem> {
  for (const [index, anchor] of (anchors ?? []).entries()) {
    const reason = explainCertificates(anchor);
    if (reason === undefined) continue;
    yield { path: `${at}.trustedRootCertificates[${index}]`, sentence: `has no readable PEM certificate: ${reason}` };
  }
}
