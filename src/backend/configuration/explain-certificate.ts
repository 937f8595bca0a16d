import { X509Certificate } from "node:crypto";
import { MalformedCertificate, type MalformedCertificateReason } from "../../x509/malformed-certificate.ts";
import { readCertificate } from "../../x509/read-certificate.ts";

/** What the operator does about it; without an entry the sentence says enough. */
const advice: Partial<Record<MalformedCertificateReason, string>> = {
  empty: "give the text of a certificate, or { file: PATH }",
  not_pem: "give PEM text or { file: PATH }; openssl x509 -inform der -in FILE makes PEM from DER",
  text_outside: "openssl x509 -in FILE prints the certificate alone",
  several_certificates: "make one entry for each",
  private_key: "keep it secret, and name the certificate's file instead",
  bad_base64: "the file may be damaged: copy it anew",
  not_der: "the file may be damaged: copy it anew",
  trailing_bytes: "openssl x509 -in FILE prints the certificate alone",
};

/**
 * Why a text is not exactly one certificate in PEM, and what to do; `undefined` when it is one.
 *
 * @example explainCertificate("") // "there is no certificate in it; give the text of a certificate, or { file: PATH }"
 */
export function explainCertificate(pem: string): string | undefined {
  try {
    readCertificate(pem);
    return undefined;
  } catch (error) {
    if (!(error instanceof MalformedCertificate)) throw error;
    const reason = `${error.sentence.charAt(0).toLowerCase()}${error.sentence.slice(1, -1)}`;
    const whatToDo = advice[error.reason];
    return whatToDo === undefined ? reason : `${reason}; ${whatToDo}`;
  }
}

/** OpenSSL takes these three labels. */
const certificateBlock =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*(?:-----END (?:X509 |TRUSTED )?CERTIFICATE-----)?/g;

/**
 * Why a text is not a certificate and its chain in PEM, one after another and as OpenSSL reads it; `undefined` when it is.
 *
 * @example explainCertificateChain(leaf + "-----BEGIN CERTIFICATE-----") // "its certificate 2 cannot be read: …"
 */
export function explainCertificateChain(pem: string): string | undefined {
  const blocks = pem.match(certificateBlock) ?? [];
  if (blocks.length === 0) return explainCertificate(pem) ?? "there is no certificate in it";
  const wrong = blocks.findIndex((block) => readOne(block) === undefined);
  const block = blocks[wrong];
  if (block === undefined) return undefined;
  return `its certificate ${wrong + 1} cannot be read: ${explainCertificate(block) ?? "OpenSSL refuses it"}`;
}

/** The certificates of a text that {@link explainCertificateChain} has no objection to, in its order. */
export function readCertificateChain(pem: string): X509Certificate[] {
  return (pem.match(certificateBlock) ?? []).flatMap((block) => readOne(block) ?? []);
}

/** What node:crypto says of unreadable input may quote it. */
function readOne(block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block);
  } catch {
    return undefined;
  }
}
