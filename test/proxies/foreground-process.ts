import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** What is ended when a file's tests are over, the last first. */
export interface Lifetime {
  readonly teardown: (end: () => unknown) => void;
}

/** A list of what must be ended, and its end. */
export function createLifetime(): Lifetime & { readonly end: () => Promise<void> } {
  const ends: (() => unknown)[] = [];
  return {
    teardown: (end) => void ends.push(end),
    async end() {
      for (const one of ends.splice(0).reverse()) await one();
    },
  };
}

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What the program writes, to either stream, once it listens. */
  readonly ready: RegExp;
}

/**
 * Runs the program until its standard input closes, which it does with this process, however that ends; then everything
 * the program has started goes, too: all of it is one process group.
 */
const supervisor = `"$@" & program=$!; exec >/dev/null 2>&1; read -r _; trap : TERM; kill -TERM 0; wait "$program"`;

/** Milliseconds for a program to end by itself. */
const patience = 5000;

/** Starts a program in the foreground; resolves to what {@link Program.ready} has matched, rejects if it ends before. */
export async function startProgram(lifetime: Lifetime, program: Program): Promise<RegExpExecArray> {
  const child = spawn("sh", ["-c", supervisor, "sh", program.command, ...program.args], {
    env: program.env,
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  const group = -Number(child.pid);
  const closed = once(child, "close");
  lifetime.teardown(async () => {
    child.stdin.end();
    const timer = setTimeout(() => process.kill(group, "SIGKILL"), patience);
    await closed;
    clearTimeout(timer);
  });
  const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
  const written: string[] = [];
  const streams = [child.stdout, child.stderr].map(async (stream) => {
    for await (const line of createInterface({ input: stream })) {
      written.push(line);
      const match = program.ready.exec(line);
      if (match !== null) resolve(match);
    }
  });
  void Promise.all(streams).then(() => {
    reject(new Error(`${program.command} ended before it listened:\n${written.join("\n")}`));
  });
  return promise;
}
