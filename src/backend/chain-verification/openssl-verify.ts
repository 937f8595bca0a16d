import { writePem } from "../../x509/pem.ts";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CertificatePath, ChainVerdict } from "../engine/dependencies.ts";
import { ChainVerificationFailure, type OpensslCommand, type OpensslOutput, runOpenssl } from "./openssl-process.ts";

/** The line before it, the certificate's subject, is the client's own text and is not repeated. */
const errorLine = /^error \d{1,4} at \d{1,4} depth lookup: ?[\x20-\x7e]{1,160}$/gm;

/** OpenSSL continues after some errors; the first ones are enough. */
const maximumErrors = 4;

/**
 * Reads what `openssl verify` answered about the certificate on its standard input.
 *
 * Trusted takes all three: exit code 0, `stdin: OK`, and not one error line (OpenSSL goes on after some errors).
 * Throws {@link ChainVerificationFailure} when the output is neither that nor a refusal with its reason.
 *
 * @example readVerdict({ code: 0, stdout: "stdin: OK\n", stderr: "" }) // { trusted: true }
 */
function readVerdict({ code, stdout, stderr }: OpensslOutput): ChainVerdict {
  const errors = stderr.match(errorLine);
  if (errors !== null) return { trusted: false, reason: [...new Set(errors)].slice(0, maximumErrors).join("; ") };
  if (code === 0 && stdout === "stdin: OK\n") return { trusted: true };
  throw new ChainVerificationFailure(`openssl ended with code ${code} and gave no verdict`);
}

/** The purpose of the leaf, in OpenSSL's names (`openssl-verification-options(1)`). */
export type Purpose = "sslclient" | "sslserver" | "any";

export interface Verification {
  readonly purpose: Purpose;
  /** How many certificates there may be between the leaf and the anchor. */
  readonly maxDepth: number;
  /** The instant of the question, milliseconds since 1970. */
  readonly at: number;
  /** Where the private directory for this run is made. */
  readonly temporaryDirectory: string;
}

/** Asks one `openssl verify` over a path (RFC 5280 §6); rejects with {@link ChainVerificationFailure}. */
export async function verifyWithOpenssl(
  command: OpensslCommand,
  path: CertificatePath,
  verification: Verification,
  signal: AbortSignal,
): Promise<ChainVerdict> {
  const directory = await makePrivateDirectory(verification.temporaryDirectory);
  try {
    await writeCertificates(join(directory, anchorsFile), path.anchors);
    if (path.intermediates.length > 0) await writeCertificates(join(directory, pathFile), path.intermediates);
    const args = opensslArguments(verification, path.intermediates.length > 0);
    return readVerdict(await runOpenssl(command, args, { input: writePem(path.leaf), cwd: directory, signal }));
  } finally {
    await removeDirectory(directory);
  }
}

const anchorsFile = "anchors.pem";
const pathFile = "path.pem";

function opensslArguments({ purpose, maxDepth, at }: Verification, withPath: boolean): string[] {
  return [
    ...["verify", "-purpose", purpose, "-x509_strict", "-verify_depth", `${maxDepth}`, "-auth_level", "2"],
    // Without these two OpenSSL takes a critical policyConstraints for understood and does not look at it.
    // Any policy will do, as RFC 5280 §6.1.1 (c) has it by default, but the path must be consistent (§6.1.3 (f)).
    ...["-policy_check", "-policy", "anyPolicy"],
    ...["-attime", `${Math.floor(at / 1000)}`],
    // An explicit -CAfile replaces the system's file; its directory and its store are switched off beside it.
    ...["-no-CApath", "-no-CAstore", "-CAfile", anchorsFile],
    ...(withPath ? ["-untrusted", pathFile] : []),
  ];
}

/** `mkdtemp` makes it with mode 0700. */
async function makePrivateDirectory(parent: string): Promise<string> {
  try {
    return await mkdtemp(join(parent, "certbound-"));
  } catch (cause) {
    throw new ChainVerificationFailure("no temporary directory could be made", { cause });
  }
}

async function removeDirectory(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true });
  } catch (cause) {
    throw new ChainVerificationFailure("a temporary directory could not be removed", { cause });
  }
}

async function writeCertificates(file: string, certificates: readonly Uint8Array[]): Promise<void> {
  try {
    await writeFile(file, certificates.map(writePem).join(""), { mode: 0o600, flag: "wx" });
  } catch (cause) {
    throw new ChainVerificationFailure("a temporary file could not be written", { cause });
  }
}
