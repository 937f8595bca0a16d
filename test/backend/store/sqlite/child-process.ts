import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { ExecutionContext } from "ava";

export interface Child {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  /** The next line that it wrote, or `undefined` at its end. */
  line(): Promise<string | undefined>;
  /** All lines from here to its end. */
  rest(): Promise<string[]>;
  /** Resolves when it has exited and all its output is read; rejects with its complaint when it failed. */
  done(): Promise<void>;
}

/** Starts a program, named from this folder or by its path, as a real process; it is gone after the test. */
export function startChild(t: ExecutionContext, program: string, args: readonly string[]): Child {
  const child = spawn(
    process.execPath,
    ["--conditions=certbound-source", new URL(program, import.meta.url).pathname, ...args],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  t.teardown(() => {
    child.kill("SIGKILL");
  });
  const exited = once(child, "close") as Promise<[number | null]>;
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string | undefined> => {
    const next = await lines.next();
    return next.done === true ? undefined : next.value;
  };
  return {
    process: child,
    line,
    async rest() {
      const all: string[] = [];
      for (let next = await line(); next !== undefined; next = await line()) all.push(next);
      return all;
    },
    async done() {
      const [code] = await exited;
      if (code !== 0) throw new Error(`${program} ended with ${code ?? "a signal"}: ${complaint}`);
    },
  };
}
