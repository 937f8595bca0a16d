import { hash } from "node:crypto";
import type { CertificatePath } from "../engine/dependencies.ts";
import { readPathCertificate, readSentCertificate, type PathCertificate, type Unfit } from "./path-certificate.ts";
import type { ReadPath } from "./signed-path.ts";

/** A client's anchors, read once: the list is the same object as long as the settings are. */
interface ReadAnchors {
  /** Of their octets and order. */
  readonly digest: string;
  readonly fit: readonly PathCertificate[];
  /** Why the first of those that are not used is not. */
  readonly unfit: string | undefined;
}

const known = new WeakMap<readonly Uint8Array[], ReadAnchors>();

/** The anchors with accepted keys; the others vouch for nothing. */
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

/** Identifies a request, whatever the order and repetition of its intermediates. */
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

/** The cache key of a verdict over signed certificates. */
export interface SignedDigests {
  readonly whenTrusted: string;
  readonly whenRefused: string;
}

/** The usable certificates of a client, and why the first unusable intermediate is unusable. */
interface SentPath extends ReadPath {
  readonly leftOut: string | undefined;
}

/** Reads the client's certificates in their order, each once; intermediates without the leaf and the anchors. */
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

/** Thumbprints have one length, and a purpose has no line feed, so no two lists have the same text. */
function digestOf(texts: readonly string[]): string {
  return hash("sha256", texts.join("\n"), "base64url");
}
