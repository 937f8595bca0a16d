import type { Problem } from "./configuration-error.ts";
import { explainCertificate } from "./explain-certificate.ts";

/** Each anchor must be exactly one certificate as PEM text. */
export function* checkAnchors(anchors: readonly string[] | undefined, at: string): Generator<Problem> {
  for (const [index, anchor] of (anchors ?? []).entries()) {
    const reason = explainCertificate(anchor);
    if (reason === undefined) continue;
    yield { path: `${at}.trustedRootCertificates[${index}]`, sentence: `is not one PEM certificate: ${reason}` };
  }
}
