import { namesAsIssuer, type PathCertificate } from "./path-certificate.ts";
import type { SignatureChecks } from "./signature-checks.ts";

/** Whether signatures lead from an anchor to the leaf, and which intermediates they reach. */
export type SignedPath = { readonly signed: readonly PathCertificate[] } | { readonly unsigned: string };

/** More than a path of ten needs with two authorities of the same name. */
export const mostChecks = 16;

/**
 * Finds out whether signatures lead from an anchor to a leaf: necessary for a valid path, but not sufficient.
 *
 * Begins at the anchors. Only a key that they vouch for, directly or through others, ever checks anything: the keys in
 * certificates that a stranger has made are never used. Anyone can make a certificate with a client's name in it; a
 * signature of an authority they cannot. Where names lead nowhere, nothing is checked. `unsigned` is for the operator.
 *
 * @example await findSignedPath({ leaf, intermediates, anchors }, checks, client)
 */
export async function findSignedPath(
  { leaf, intermediates, anchors }: ReadPath,
  checks: SignatureChecks,
  client: string,
): Promise<SignedPath> {
  // An anchor's own signature is not checked.
  if (anchors.some(({ thumbprint }) => thumbprint === leaf.thumbprint)) return { signed: [] };
  const wanted = namedFrom(leaf, intermediates);
  const pairs = wanted.flatMap((certificate) =>
    [...anchors, ...wanted].flatMap((issuer) =>
      issuer !== certificate && namesAsIssuer(certificate, issuer) ? [{ certificate, issuer }] : [],
    ),
  );
  const vouchedFor = new Set(anchors);
  const untried = new Set(pairs);
  if (!pairs.some(({ issuer }) => vouchedFor.has(issuer))) return { unsigned: unnamed };
  for (let spent = 0; ;) {
    const open = [...untried].filter(
      ({ certificate, issuer }) => vouchedFor.has(issuer) && !vouchedFor.has(certificate),
    );
    // Cached results cost nothing and come first; then the leaf.
    const pair = open.find(({ certificate, issuer }) => checks.known(certificate, issuer) !== undefined) ?? open[0];
    if (pair === undefined) break;
    untried.delete(pair);
    const { certificate, issuer } = pair;
    const known = checks.known(certificate, issuer);
    if (known === undefined && ++spent > mostChecks) return { unsigned: tooMany };
    if (known ?? (await checks.check(client, certificate, issuer))) vouchedFor.add(certificate);
  }
  if (!vouchedFor.has(leaf)) return { unsigned: unsigned };
  return { signed: intermediates.filter((intermediate) => vouchedFor.has(intermediate)) };
}

/** The certificates of a path, read. */
export interface ReadPath {
  readonly leaf: PathCertificate;
  readonly intermediates: readonly PathCertificate[];
  readonly anchors: readonly PathCertificate[];
}

const unnamed = "no names lead from it to a trust anchor";
const unsigned = "no signatures lead from it to a trust anchor";
const tooMany = `more than ${mostChecks} signatures would have to be checked to find out whether it leads to a trust anchor`;

/** The leaf, and the intermediates that the names of issuers lead to from there; each once, so that a circle ends too. */
function namedFrom(leaf: PathCertificate, intermediates: readonly PathCertificate[]): readonly PathCertificate[] {
  const reached = new Set([leaf]);
  for (const certificate of reached) {
    for (const issuer of intermediates) if (namesAsIssuer(certificate, issuer)) reached.add(issuer);
  }
  return [...reached];
}
