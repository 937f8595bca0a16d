import { ChainVerificationFailure } from "./openssl-process.ts";

/** Limits how many tasks run at once and how many wait; clients take turns, however many tasks each has. */
export interface FairTurns {
  /** Rejects with {@link ChainVerificationFailure} when too many wait already or the turn does not come in time. */
  run<Result>(client: string, task: () => Promise<Result>): Promise<Result>;
  /** Whether a task that came now would have to wait. */
  areTaken(): boolean;
}

export interface FairTurnsLimits {
  readonly concurrency: number;
  /** Tasks that may wait, of all clients and of each. */
  readonly queue: number;
  readonly queueOfClient: number;
  /** The longest wait for a turn, in milliseconds. */
  readonly timeout: number;
  /** The resource that tasks wait for, for the log; default "openssl process". */
  readonly what?: string;
}

/**
 * Makes {@link FairTurns}: after each task its client goes to the end of the queue, so that a task waits for its
 * client's earlier tasks and, for each of those and itself, at most one task of every other client.
 *
 * @example await createFairTurns({ concurrency: 4, queue: 256, queueOfClient: 64, timeout: 5000 }).run("1/2", task)
 */
export function createFairTurns(limits: FairTurnsLimits): FairTurns {
  const { concurrency, queue, queueOfClient, timeout, what = "openssl process" } = limits;
  let running = 0;
  let waiting = 0;
  // Both keep the order of arrival, and one who gives up can leave from the middle.
  const lines = new Map<string, Set<() => void>>();

  const turn = (client: string) =>
    new Promise<void>((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        waiting -= 1;
        const line = lines.get(client);
        line?.delete(take);
        if (line?.size === 0) lines.delete(client);
      };
      const timer = setTimeout(() => {
        leave();
        reject(new ChainVerificationFailure(`no ${what} came free within ${timeout} ms`));
      }, timeout);
      const take = () => {
        leave();
        resolve();
      };
      const line = lines.get(client) ?? new Set();
      lines.set(client, line.add(take));
      waiting += 1;
    });

  /** The slot is handed over, not given back, so that a newcomer cannot overtake. */
  const handOver = () => {
    const [first] = lines;
    if (first === undefined) {
      running -= 1;
      return;
    }
    const [client, line] = first;
    const [next] = line;
    lines.delete(client);
    if (line.size > 1) lines.set(client, line);
    next?.();
  };

  return {
    areTaken: () => running >= concurrency,
    async run(client, task) {
      if (running < concurrency) running += 1;
      else if (waiting >= queue || (lines.get(client)?.size ?? 0) >= queueOfClient) {
        throw new ChainVerificationFailure("too many chains wait to be verified");
      } else await turn(client);
      try {
        return await task();
      } finally {
        handOver();
      }
    },
  };
}
