import { fork, spawnSync, type ChildProcess } from "node:child_process";
import { availableParallelism } from "node:os";

/** A process that does what messages tell it, on one processor of its own where the machine can arrange that. */
export interface PinnedProcess {
  /** Sends a message and resolves to its answer; rejects when the process ends instead. */
  ask(message: unknown): Promise<unknown>;
  /** Resolves to the first thing that the process says by itself. */
  readonly started: Promise<unknown>;
  /** Tells it to leave by itself (a profile is only written then), and resolves when it has. */
  stop(): Promise<void>;
}

export interface PinnedProcessOptions {
  /** 0: what is measured. 1: what loads it. */
  readonly processor: 0 | 1;
  /** JSON; the process reads it with {@link argumentOf}. */
  readonly argument?: unknown;
  /** Where a processor profile is written when the process stops. */
  readonly profileInto?: string | undefined;
}

/** Said to a process that is to leave. */
export const stopMessage = "stop";

/** Whether processes get a processor each. */
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

/** What a process that {@link startPinned} started was given. */
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
