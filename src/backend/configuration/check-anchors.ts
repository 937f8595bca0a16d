import type { Problem } from "./configuration-error.ts";
import { explainCertificates } from "./explain-certificate.ts";

/** Each entry must be a file of PEM certificates, one at least. */
export function* checkAnchors(anchors: readonly string[] | undefined, at: string): Generator<Problem> {
  for (const [index, anchor] of (anchors ?? []).entries()) {
    const reason = explainCertificates(anchor);
    if (reason === undefined) continue;
    yield { path: `${at}.trustedRootCertificates[${index}]`, sentence: `has no readable PEM certificate: ${reason}` };
  }
}
