import { MalformedCertificate } from "../../x509/malformed-certificate.ts";
import { readCertificate } from "../../x509/read-certificate.ts";
import type { Problem } from "./configuration-error.ts";

/** Each anchor must be exactly one certificate as PEM text. */
export function* checkAnchors(anchors: readonly string[] | undefined, at: string): Generator<Problem> {
  for (const [index, anchor] of (anchors ?? []).entries()) {
    if (isCertificate(anchor)) continue;
    const sentence = "is not one PEM certificate (a text, or { file: PATH }; one entry a certificate)";
    yield { path: `${at}.trustedRootCertificates[${index}]`, sentence };
  }
}

function isCertificate(pem: string): boolean {
  try {
    readCertificate(pem);
    return true;
  } catch (error) {
    if (error instanceof MalformedCertificate) return false;
    throw error;
  }
}
