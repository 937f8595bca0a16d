import { fork, spawnSync, type ChildProcess } from "node:child_process";
import { availableParallelism } from "node:os";

/** A process that is controlled by messages, on a processor of its own if the machine supports that. */
export interface PinnedProcess {
  /** Sends a message and resolves to the reply. Rejects if the process ends instead. */
  ask(message: unknown): Promise<unknown>;
  /** Resolves to the first message that the process sends by itself. */
  readonly started: Promise<unknown>;
  /** Asks the process to exit by itself (only then a profile is written), and resolves when it has ended. */
  stop(): Promise<void>;
}

export interface PinnedProcessOptions {
  /** 0 for the measured process, 1 for the load. */
  readonly processor: 0 | 1;
  /** JSON; the process reads it with {@link argumentOf}. */
  readonly argument?: unknown;
  /** Where a processor profile is written when the process stops. */
  readonly profileInto?: string | undefined;
}

/** The message that asks a process to exit. */
export const stopMessage = "stop";

/** Whether each process gets a processor of its own. */
export const pinning = availableParallelism() > 1 && spawnSync("taskset", ["--version"]).error === undefined;

/**
 * Starts a TypeScript file in a process of its own.
 *
 * @example startPinned("/…/load-process.ts", { processor: 1 })
 */
export function startPinned(file: string, { processor, argument, profileInto }: PinnedProcessOptions): PinnedProcess {
  const profile = profileInto === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileInto}`];
  const node = [...process.execArgv, ...profile];
  const child = fork(file, [JSON.stringify(argument ?? null)], {
    env: { ...process.env, NODE_ENV: "production" },
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    ...(pinning
      ? { execPath: "taskset", execArgv: ["-c", String(processor), process.execPath, ...node] }
      : { execArgv: node }),
  });
  return {
    started: next(child, file),
    ask(message) {
      const answer = next(child, file);
      child.send(message as object);
      return answer;
    },
    async stop() {
      const exited = new Promise((resolve) => child.once("exit", resolve));
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.send(stopMessage);
      await exited;
    },
  };
}

/** The argument that {@link startPinned} passed to this process. */
export function argumentOf(argv: readonly string[]): unknown {
  return JSON.parse(argv[2] ?? "null");
}

function next(child: ChildProcess, file: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => {
      reject(new Error(`${file} has ended`));
    };
    child.once("exit", onExit);
    child.once("message", (message) => {
      child.off("exit", onExit);
      resolve(message);
    });
  });
}
