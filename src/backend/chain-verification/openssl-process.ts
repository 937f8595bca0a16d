import { spawn } from "node:child_process";

/** It is unknown whether a path is trusted: neither a yes nor a no. `cause` is for the log only. */
export class ChainVerificationFailure extends Error {
  override readonly name = "ChainVerificationFailure";
}

/** How to call OpenSSL. */
export interface OpensslCommand {
  /** A name that is looked up, or a path. */
  readonly executable: string;
  /** The value of PATH and all of the environment: no `SSL_CERT_FILE`, no `OPENSSL_CONF` of ours reaches it. */
  readonly path: string | undefined;
  /** Milliseconds after which the process is killed. */
  readonly timeout: number;
}

/** The result of a finished process; `code` is never that of a killed one. */
export interface OpensslOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Far above what any path within the other limits makes OpenSSL print. */
const maximumOutput = 1_048_576;

/**
 * Runs OpenSSL once; rejects with {@link ChainVerificationFailure} when it could not be started, was killed for its
 * time, its output or by `signal`, or died of another's signal. Settles only once the process is gone.
 */
export function runOpenssl(
  command: OpensslCommand,
  args: readonly string[],
  { input = "", cwd, signal }: { input?: string; cwd?: string; signal?: AbortSignal } = {},
): Promise<OpensslOutput> {
  return new Promise((resolve, reject) => {
    const child = startProcess(command, args, cwd);
    let failure: ChainVerificationFailure | undefined;
    child.on("error", (cause) => {
      failure ??= new ChainVerificationFailure("openssl could not be run", { cause });
      if (child.pid === undefined) reject(failure);
    });
    // Not started: "error" follows, and out of file descriptors there would not even be streams.
    if (child.pid === undefined) return;

    const kill = (why: string) => {
      failure ??= new ChainVerificationFailure(why);
      child.kill("SIGKILL");
      // A child of the process may have inherited the pipes and would keep "close" from being emitted.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const onAbort = () => {
      kill("the chain verifier was closed");
    };
    const timer = setTimeout(() => {
      kill(`openssl did not finish within ${command.timeout} ms`);
    }, command.timeout);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });

    let size = 0;
    const collect = (chunks: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length;
      if (size > maximumOutput) kill("openssl wrote more than it should");
      else chunks.push(chunk);
    };
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", collect(out));
    child.stderr.on("data", collect(err));
    // A process that ends before it has read its input breaks the pipe; its exit code explains why.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.on("close", (code) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      if (failure !== undefined) reject(failure);
      else if (code === null) reject(new ChainVerificationFailure("openssl was ended by a signal"));
      else resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
  });
}

function startProcess({ executable, path }: OpensslCommand, args: readonly string[], cwd?: string) {
  const env = path === undefined ? {} : { PATH: path };
  try {
    return spawn(executable, args, { env, windowsHide: true, ...(cwd !== undefined && { cwd }) });
  } catch (cause) {
    throw new ChainVerificationFailure("openssl could not be run", { cause });
  }
}

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
