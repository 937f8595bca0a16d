import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ExecutionContext } from "ava";

/** A backend in a process of its own, started by the command. */
export interface BackendProcess {
  readonly url: string;
  /** Sends the signal and resolves to the exit code, or to `null` when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

const command = fileURLToPath(new URL("../../src/cli/certbound.ts", import.meta.url));

/** Runs `certbound serve --config FILE` until it says where it listens; killed with the test. */
export async function startBackendProcess(
  t: ExecutionContext,
  configuration: string,
  environment: Readonly<Record<string, string>>,
): Promise<BackendProcess> {
  const child = spawn(process.execPath, [...process.execArgv, command, "serve", "--config", configuration], {
    env: { PATH: process.env["PATH"] ?? "", ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  const url = await listeningUrl(child);
  return {
    url,
    async end(signal) {
      const exited = once(child, "exit") as Promise<[number | null]>;
      child.kill(signal);
      return (await exited)[0];
    },
  };
}

async function listeningUrl(child: ChildProcess & { readonly stdout: NodeJS.ReadableStream }): Promise<string> {
  for await (const line of createInterface({ input: child.stdout })) {
    const { listening } = JSON.parse(line) as { listening?: unknown };
    if (typeof listening === "string") {
      child.stdout.resume();
      return listening;
    }
  }
  throw new Error("The backend ended before it listened.");
}
