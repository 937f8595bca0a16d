import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { ExecutionContext } from "ava";
import type { Lifetime } from "../proxies/foreground-process.ts";

/** What a program does when it is told to, by name; what it is given and what it answers goes through JSON. */
export type Commands = Readonly<Record<string, (given: never) => unknown>>;

/** A program of ours in a process of its own. */
export interface ForkedProgram<Does extends Commands> {
  /** Resolves to what the command answers, rejects with what it throws or when the process ends. */
  tell<Name extends keyof Does & string>(
    name: Name,
    ...given: Parameters<Does[Name]> extends [] ? [] : Parameters<Does[Name]>
  ): Promise<Awaited<ReturnType<Does[Name]>>>;
  signal(signal: NodeJS.Signals): void;
}

interface Order {
  readonly id: number;
  readonly name: string;
  readonly given: unknown;
}

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly failure?: string;
}

/**
 * Forks a program that calls {@link obey}; it is killed with the test, also while it is stopped.
 *
 * @example const proxy = await forkProgram<ProxyCommands>(t, new URL("../faults/fault-proxy-program.ts", import.meta.url))
 */
export async function forkProgram<Does extends Commands>(
  t: ExecutionContext,
  program: URL,
): Promise<ForkedProgram<Does>> {
  const child = fork(program, { execArgv: process.execArgv });
  endWith(t, child);
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let orders = 0;
  child.on("message", ({ id, result, failure }: Reply) => {
    const order = waiting.get(id);
    waiting.delete(id);
    if (failure === undefined) order?.resolve(result);
    else order?.reject(new Error(failure));
  });
  child.once("exit", () => {
    for (const { reject } of waiting.values()) reject(new Error("The program has ended."));
  });
  await once(child, "spawn");
  return {
    async tell(name, ...given) {
      const order = Promise.withResolvers<unknown>();
      const id = ++orders;
      waiting.set(id, order);
      child.send({ id, name, given: given[0] } satisfies Order);
      return (await order.promise) as never;
    },
    signal(signal) {
      child.kill(signal);
    },
  };
}

/** Answers the orders of the process that forked this one, and ends with it. */
export function obey(commands: Commands): void {
  process.on("disconnect", () => process.exit(1));
  process.on("message", ({ id, name, given }: Order) => {
    const answer = (reply: Omit<Reply, "id">): void => {
      process.send?.({ id, ...reply } satisfies Reply);
    };
    const does = commands[name] as ((given: unknown) => unknown) | undefined;
    const obeyed = async (): Promise<unknown> => {
      if (does === undefined) throw new Error(`There is no command ${name}.`);
      return await does(given);
    };
    obeyed().then(
      (result) => {
        answer({ result });
      },
      (error: unknown) => {
        answer({ failure: String(error) });
      },
    );
  });
}

/** Kills a process with the test and with the test's process. */
export function endWith(t: Lifetime, child: ChildProcess): void {
  const kill = (): void => {
    child.kill("SIGKILL");
  };
  process.once("exit", kill);
  t.teardown(() => {
    kill();
    process.off("exit", kill);
  });
}

/** The monotonic clock that all processes of a machine share, in milliseconds. */
export function sharedClock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
