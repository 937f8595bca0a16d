import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ExecutionContext } from "ava";
import { runCommandLine } from "../../src/cli/command-line.ts";
import type { ProgramHost } from "../../src/cli/program-host.ts";
import { env } from "./a-folder.ts";

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line that ends by itself, in this process. */
export async function runHere(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = env,
): Promise<Outcome> {
  const written = { stdout: "", stderr: "" };
  const host: ProgramHost = {
    env: environment,
    stdout: { write: (text) => void (written.stdout += text) },
    stderr: { write: (text) => void (written.stderr += text) },
    pid: 1,
    onSignal: () => undefined,
    onHangUp: () => undefined,
    hasTerminal: () => false,
    exit: (code) => {
      throw new Error(`exit(${code})`);
    },
  };
  return { code: await runCommandLine(args, host), ...written };
}

export type LogLine = Readonly<Record<string, unknown>>;

/** `certbound` in a process of its own. */
export interface Certbound {
  /** The first line of the log for which it holds; of those already there, too. */
  line(matches: (line: LogLine) => boolean): Promise<LogLine>;
  kill(signal: NodeJS.Signals): void;
  /** Everything, once it has ended. */
  ended(): Promise<Outcome & { readonly signal: NodeJS.Signals | null }>;
}

/** Starts the real command; whatever is left of it goes with the test. */
export function startCertbound(
  t: ExecutionContext,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = env,
): Certbound {
  const command = fileURLToPath(new URL("../../src/cli/certbound.ts", import.meta.url));
  return startCommand(t, process.execPath, ["--conditions=certbound-source", command, ...args], environment);
}

/** Starts a program that ends up in the command, and signals that program. */
export function startCommand(
  t: ExecutionContext,
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Certbound {
  const child = spawn(program, args, {
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  const written = { stdout: "", stderr: "" };
  child.stderr.setEncoding("utf8").on("data", (text: string) => (written.stderr += text));
  const log = readLog(child.stdout, (text) => (written.stdout += text));
  const exited = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    line: (matches) => log(matches, () => `the command ended before: ${written.stderr}`),
    kill: (signal) => void child.kill(signal),
    async ended() {
      const [code, signal] = await exited;
      return { code: code ?? -1, signal, ...written };
    },
  };
}

function readLog(stdout: NonNullable<ChildProcess["stdout"]>, keep: (text: string) => void) {
  const lines: LogLine[] = [];
  const reader = createInterface({ input: stdout });
  reader.on("line", (text) => {
    keep(`${text}\n`);
    if (text.startsWith("{")) lines.push(JSON.parse(text) as LogLine);
    reader.emit("log");
  });
  let closed = false;
  reader.once("close", () => {
    closed = true;
    reader.emit("log");
  });
  return async (matches: (line: LogLine) => boolean, sayWhy: () => string): Promise<LogLine> => {
    for (;;) {
      const found = lines.find(matches);
      if (found !== undefined) return found;
      if (closed) throw new Error(sayWhy());
      await once(reader, "log");
    }
  };
}
