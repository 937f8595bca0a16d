import { ChainVerificationFailure, runOpenssl } from "./openssl-process.ts";

/**
 * Tells, before anything is served, whether there is an OpenSSL 3 or later to validate certificate paths with.
 *
 * Answers `undefined` when there is, otherwise one sentence for the operator. `path` is the value of PATH.
 *
 * @example const missing = await checkOpenssl({ path: process.env.PATH }); // undefined
 */
export async function checkOpenssl({
  openssl: executable = "openssl",
  path,
  timeout = 5000,
}: {
  readonly openssl?: string;
  readonly path?: string;
  readonly timeout?: number;
} = {}): Promise<string | undefined> {
  const needed = "Client certificate chains are validated by OpenSSL 3 or later";
  try {
    const { code, stdout } = await runOpenssl({ executable, path, timeout }, ["version"]);
    // LibreSSL prints its own name, and lacks options that we need.
    const version = /^OpenSSL ((\d{1,3})\.\d{1,3}\.\d{1,3})/.exec(stdout);
    if (code !== 0 || version === null) return `${needed}, and "${executable}" is another program.`;
    return Number(version[2]) >= 3 ? undefined : `${needed}, and "${executable}" is ${version[1] ?? ""}.`;
  } catch (error) {
    if (!(error instanceof ChainVerificationFailure)) throw error;
    return `${needed}, and "${executable}" could not be used: ${error.message}.`;
  }
}
