import { fileURLToPath } from "node:url";
import { startPinned } from "./pinned-process.ts";

/** The figures of a server's process since the last reading. */
export interface Usage {
  /** Microseconds of processor time, of all its threads. */
  readonly processor: number;
  /** Its other counters, by name. */
  readonly counts: Readonly<Record<string, number>>;
}

/** A server in a process of its own. */
export interface Server {
  readonly port: number;
  usage(): Promise<Usage>;
  stop(): Promise<void>;
}

/**
 * Starts one of `bench/servers`.
 *
 * @example startServer("bare", { answer })
 */
export async function startServer(name: string, argument?: unknown, profileInto?: string): Promise<Server> {
  const file = fileURLToPath(new URL(`../servers/${name}.ts`, import.meta.url));
  const child = startPinned(file, { processor: 0, argument, profileInto });
  const port = (await child.started) as number;
  return { port, usage: () => child.ask("usage") as Promise<Usage>, stop: () => child.stop() };
}
