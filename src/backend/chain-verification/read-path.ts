import { hash } from "node:crypto";
import type { CertificatePath } from "../engine/dependencies.ts";
import { readPathCertificate, readSentCertificate, type PathCertificate, type Unfit } from "./path-certificate.ts";
import type { ReadPath } from "./signed-path.ts";

/** The anchors of a client, read once: the list is the same object for as long as the settings are. */
interface ReadAnchors {
  /** Of their octets and order. */
  readonly digest: string;
  readonly fit: readonly PathCertificate[];
  /** Why the first of those that are not used is not. */
  readonly unfit: string | undefined;
}

const known = new WeakMap<readonly Uint8Array[], ReadAnchors>();

/** The anchors whose keys are accepted; the others vouch for nobody. */
export function readAnchors(anchors: readonly Uint8Array[]): ReadAnchors {
  const found = known.get(anchors);
  if (found !== undefined) return found;
  const read = anchors.map((der, index) => readPathCertificate(der, `trust anchor ${index + 1}`));
  const fit = read.filter((anchor): anchor is PathCertificate => !("error" in anchor));
  const unfit = read.find((anchor): anchor is Unfit => "error" in anchor)?.error;
  const result = { digest: digestOf(anchors.map(thumbprint)), fit, unfit };
  known.set(anchors, result);
  return result;
}

/** Tells questions apart, whatever the order of the intermediates and however often one of them was sent. */
export function digestOfQuestion(path: CertificatePath, purpose: string): string {
  const intermediates = new Set(path.intermediates.map(thumbprint));
  return digestOf([purpose, readAnchors(path.anchors).digest, thumbprint(path.leaf), ...[...intermediates].sort()]);
}

/**
 * As {@link digestOfQuestion}, of the certificates that an anchor vouches for. In which order OpenSSL finds them may
 * decide whether it finds a valid path; once it has, there is one in whatever order.
 */
export function digestsOfSigned({ leaf, intermediates, anchors }: ReadPath, purpose: string): SignedDigests {
  const between = intermediates.map((one) => one.thumbprint);
  const [ours, ordered, unordered] = [anchors.map((one) => one.thumbprint), between, between.toSorted()].map(digestOf);
  const question = [purpose, "signed", leaf.thumbprint, ours ?? ""];
  return {
    whenTrusted: digestOf([...question, "in any order", unordered ?? ""]),
    whenRefused: digestOf([...question, "in this order", ordered ?? ""]),
  };
}

/** Under what a verdict over signed certificates is remembered. */
export interface SignedDigests {
  readonly whenTrusted: string;
  readonly whenRefused: string;
}

/** What a client sent, as far as it is used, and why the first of its intermediates that are not is not. */
interface SentPath extends ReadPath {
  readonly leftOut: string | undefined;
}

/** Reads what a client sent, in its order, each once; of the intermediates those that are neither the leaf nor an anchor. */
export function readSentPath({ leaf, intermediates, anchors }: CertificatePath): SentPath | Unfit {
  const end = readSentCertificate(leaf, "the certificate");
  if ("error" in end) return end;
  const trusted = readAnchors(anchors).fit;
  const seen = new Set([end, ...trusted].map((certificate) => certificate.thumbprint));
  const between: PathCertificate[] = [];
  let leftOut: string | undefined;
  for (const [index, der] of intermediates.entries()) {
    const certificate = readSentCertificate(der, `intermediate ${index + 1}`);
    if ("error" in certificate) leftOut ??= certificate.error;
    else if (!seen.has(certificate.thumbprint)) {
      seen.add(certificate.thumbprint);
      between.push(certificate);
    }
  }
  return { leaf: end, intermediates: between, anchors: trusted, leftOut };
}

function thumbprint(der: Uint8Array): string {
  return hash("sha256", der, "base64url");
}

/** Thumbprints have one length, and a purpose has no line feed: no two lists have the same text. */
function digestOf(texts: readonly string[]): string {
  return hash("sha256", texts.join("\n"), "base64url");
}
