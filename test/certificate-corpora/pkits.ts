import { X509Certificate } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CertificatePath } from "../../src/backend/engine/dependencies.ts";

/** A test of NIST's PKITS: an end entity and all authorities that its names lead to. */
export interface PkitsCase {
  /** The end entity's file without `EE.crt`. */
  readonly name: string;
  readonly path: CertificatePath;
}

/** What PKITS says with its default settings, and what OpenSSL says: table of `pkits-openssl.json`. */
export interface PkitsExpectation {
  readonly valid: boolean;
  readonly openssl: string;
  readonly deviation?: string;
  readonly outOfScope?: string;
  readonly note?: string;
}

interface File {
  readonly name: string;
  readonly der: Buffer;
  readonly certificate: X509Certificate;
  readonly subject: string;
  readonly issuer: string;
}

const anchorFile = "TrustAnchorRootCertificate.crt";
const endEntity = /Test\d+EE\.crt$/;

/** All end entities of PKITS with their paths; `vectors` is the folder of the corpus. */
export async function readPkitsCases(vectors: string): Promise<PkitsCase[]> {
  const folder = join(vectors, "PKITS_data", "certs");
  const files = await Promise.all(
    (await readdir(folder)).sort().map(async (name) => readCertificateFile(folder, name)),
  );
  const anchors = files.filter(({ name }) => name === anchorFile).map(({ der }) => der);
  const authorities = files.filter(({ name }) => name !== anchorFile && !endEntity.test(name));
  return files
    .filter(({ name }) => endEntity.test(name))
    .map((leaf) => ({
      name: leaf.name.replace("EE.crt", ""),
      path: { leaf: leaf.der, intermediates: authoritiesAbove(leaf, authorities), anchors },
    }));
}

export async function readPkitsExpectations(): Promise<ReadonlyMap<string, PkitsExpectation>> {
  const table = await readFile(new URL("../vectors/pkits-openssl.json", import.meta.url), "utf8");
  return new Map(Object.entries(JSON.parse(table) as Readonly<Record<string, PkitsExpectation>>));
}

async function readCertificateFile(folder: string, name: string): Promise<File> {
  const der = await readFile(join(folder, name));
  const certificate = new X509Certificate(der);
  return { name, der, certificate, subject: loosely(certificate.subject), issuer: loosely(certificate.issuer) };
}

/** Too many authorities do no harm, OpenSSL compares their names itself; too few would. */
function loosely(distinguishedName: string | undefined): string {
  // Node has no text at all for an empty name, whatever its types say.
  return (distinguishedName ?? "").replaceAll(/[\s\\]+/g, "").toLowerCase();
}

function authoritiesAbove(leaf: File, authorities: readonly File[]): Buffer[] {
  const found = new Set<File>();
  const issuers = [leaf.issuer];
  for (let issuer = issuers.pop(); issuer !== undefined; issuer = issuers.pop()) {
    for (const authority of authorities) {
      if (authority.subject !== issuer || found.has(authority)) continue;
      found.add(authority);
      issuers.push(authority.issuer);
    }
  }
  // The cases on name chaining: the leaf names another than the one who signed it, and that one must be there.
  if (found.size === 0) return authorities.filter((authority) => hasSigned(authority, leaf)).map(({ der }) => der);
  return [...found].map(({ der }) => der);
}

function hasSigned(authority: File, leaf: File): boolean {
  try {
    return leaf.certificate.verify(authority.certificate.publicKey);
  } catch {
    // A DSA key without its parameters is none to node:crypto.
    return false;
  }
}
