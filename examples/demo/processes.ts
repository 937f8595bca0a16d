import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A server in a process of its own, and the JSON lines that it has printed. */
export interface Server {
  /** `https://127.0.0.1:…` or `http://127.0.0.1:…`, as the server prints it. */
  readonly url: string;
  /** The address for browsers, if it differs. */
  readonly pages: string;
  /** The next line for which `pick` returns a value, including lines that are already printed. */
  next<Value>(pick: (line: Record<string, unknown>) => Value | undefined): Promise<Value>;
  stop(): Promise<void>;
}

/** How long a server may take to start or to print an expected line. In milliseconds. */
const patience = 15_000;

/** Every started process, and whether more may be started. */
const started = new Set<ChildProcess>();
let over = false;

/** Stops every server, also one that is still starting. No server can be started afterwards. */
export async function stopServers(): Promise<void> {
  over = true;
  await Promise.all([...started].map(stop));
}

/** Starts a program with this Node and waits until it prints its address. */
export async function startServer(
  name: string,
  program: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Server> {
  if (over) throw new Error("The demo is over.");
  const child = spawn(process.execPath, ["--conditions=certbound-source", ...program], {
    env: { PATH: process.env["PATH"] ?? "", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.add(child);
  const errors: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
  const next = readLines(child, name, errors);
  const { listening, pages } = await next((line) => (isAddress(line) ? line : undefined));
  return { url: listening, pages: pages ?? listening, next, stop: () => stop(child) };
}

type Line = Record<string, unknown>;

function isAddress(line: Line): line is { readonly listening: string; readonly pages?: string } {
  return typeof line["listening"] === "string";
}

function readLines(child: ChildProcess & { readonly stdout: NodeJS.ReadableStream }, name: string, errors: string[]) {
  const lines: Line[] = [];
  let wake = (): void => undefined;
  let ended = false;
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (text) => {
    if (text.startsWith("{")) lines.push(JSON.parse(text) as Line);
    wake();
  });
  child.once("exit", () => {
    ended = true;
    wake();
  });
  return async <Value>(pick: (line: Line) => Value | undefined): Promise<Value> => {
    const deadline = AbortSignal.timeout(patience);
    for (;;) {
      for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
        const value = pick(line);
        if (value !== undefined) return value;
      }
      if (ended) throw new Error(`The ${name} ended too early: ${errors.join("").trim()}`);
      if (deadline.aborted) throw new Error(`The ${name} did not say what it should have: ${errors.join("").trim()}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
        deadline.addEventListener("abort", () => {
          resolve();
        });
      });
    }
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  await gone;
}
