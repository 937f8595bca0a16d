import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { X509Certificate } from "node:crypto";
import type { Identity } from "./raw-request.ts";

/** A certificate with its key, and its DER. */
export type Stranger = Identity & { readonly der: Uint8Array };

const args = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=certbound-probe".split(
  " ",
);

/**
 * Makes a self-signed certificate that nobody knows, with a fresh key; nothing is written to a file.
 *
 * Rejects when there is no `openssl` in `path`.
 */
export async function makeStranger(path: string | undefined): Promise<Stranger> {
  const { stdout } = await promisify(execFile)("openssl", [...args, "-keyout", "-", "-out", "-"], {
    env: path === undefined ? {} : { PATH: path },
    timeout: 10_000,
  });
  return readStranger(stdout);
}

/** Reads a certificate and its key from one PEM text; throws when one is missing, or they do not belong together. */
export function readStranger(pem: string): Stranger {
  return { cert: pem, key: pem, der: new X509Certificate(pem).raw };
}
