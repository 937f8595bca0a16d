import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Lifetime } from "../proxies/foreground-process.ts";
import { endWith } from "./forked-program.ts";

/** A backend in a process of its own, started by the command. */
export interface BackendProcess {
  readonly url: string;
  /** Sends the signal and resolves to the exit code, or to `null` when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
  /** Sends a signal that does not end it (SIGSTOP, SIGCONT). */
  signal(signal: NodeJS.Signals): void;
}

const command = fileURLToPath(new URL("../../src/cli/certbound.ts", import.meta.url));
const endWithParent = new URL("end-with-parent.ts", import.meta.url).href;

/** Runs `certbound serve --config FILE`, with what is given besides, until it says where it listens; killed with the test. */
export async function startBackendProcess(
  t: Lifetime,
  configuration: string,
  environment: Readonly<Record<string, string>>,
  more: readonly string[] = [],
): Promise<BackendProcess> {
  const options = [...process.execArgv, "--import", endWithParent];
  const child = spawn(process.execPath, [...options, command, "serve", "--config", configuration, ...more], {
    env: { PATH: process.env["PATH"] ?? "", ...environment },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  endWith(t, child);
  const { stdout } = child;
  if (stdout === null) throw new Error("The backend has no output.");
  const url = await listeningUrl(stdout);
  return {
    url,
    async end(signal) {
      const exited = once(child, "exit") as Promise<[number | null]>;
      child.kill(signal);
      return (await exited)[0];
    },
    signal(signal) {
      child.kill(signal);
    },
  };
}

async function listeningUrl(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const { listening } = JSON.parse(line) as { listening?: unknown };
    if (typeof listening === "string") {
      output.resume();
      return listening;
    }
  }
  throw new Error("The backend ended before it listened.");
}
