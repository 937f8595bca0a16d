import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const debianPackage = "python3-cryptography-vectors";
const debianPath = "/usr/lib/python3/dist-packages/cryptography_vectors";
const variable = "CERTBOUND_CRYPTOGRAPHY_VECTORS";

/** The folder of certificates of the vectors of Python's cryptography; throws one sentence when they are missing. */
export function locateCryptographyVectors(): string {
  const folder = join(process.env[variable] ?? debianPath, "x509");
  if (existsSync(folder)) return folder;
  throw new Error(
    `The certificate corpora are missing: install Debian's ${debianPackage}, or name the folder ` +
      `"cryptography_vectors" of the PyPI package cryptography-vectors in ${variable}.`,
  );
}
