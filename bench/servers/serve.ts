import { argumentOf, stopMessage } from "../measurement/pinned-process.ts";
import type { Usage } from "../measurement/server.ts";

/** The server that a file starts. */
export interface Started {
  readonly port: number;
  /** Counters that only grow. */
  readonly counts?: () => Readonly<Record<string, number>>;
}

const nothing: Readonly<Record<string, number>> = {};

/** Runs a server and obeys its parent's messages: it reports its processor time, and finally exits. */
export async function serve(start: (argument: never) => Promise<Started>): Promise<void> {
  const { port, counts = () => nothing } = await start(argumentOf(process.argv) as never);
  let since = process.cpuUsage();
  let before = counts();
  process.on("message", (message) => {
    if (message === stopMessage) process.exit(0);
    const { user, system } = process.cpuUsage(since);
    const now = counts();
    const grown = Object.entries(now).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
    process.send?.({ processor: user + system, counts: Object.fromEntries(grown) } satisfies Usage);
    since = process.cpuUsage();
    before = now;
  });
  process.on("disconnect", () => {
    process.exit(1);
  });
  process.send?.(port);
}
