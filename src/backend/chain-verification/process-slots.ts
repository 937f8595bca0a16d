import { ChainVerificationFailure } from "./chain-verification-failure.ts";

/** Lets so many tasks run at once and so many wait. */
export interface ProcessSlots {
  /** Rejects with {@link ChainVerificationFailure} when too many wait already or the turn does not come in time. */
  run<Result>(task: () => Promise<Result>): Promise<Result>;
  /** Whether a task that came now would have to wait. */
  areTaken(): boolean;
}

/** `timeout`: the longest wait for a turn, in milliseconds. */
export function createProcessSlots(limits: { concurrency: number; queue: number; timeout: number }): ProcessSlots {
  let running = 0;
  // A Set keeps the order of arrival, and one who gives up can leave from the middle.
  const waiting = new Set<() => void>();

  const turn = () =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(take);
        reject(new ChainVerificationFailure(`no openssl process came free within ${limits.timeout} ms`));
      }, limits.timeout);
      const take = () => {
        clearTimeout(timer);
        waiting.delete(take);
        resolve();
      };
      waiting.add(take);
    });

  return {
    areTaken: () => running >= limits.concurrency,
    async run(task) {
      if (running < limits.concurrency) running += 1;
      else if (waiting.size >= limits.queue) throw new ChainVerificationFailure("too many chains wait to be verified");
      else await turn();
      try {
        return await task();
      } finally {
        // The slot is handed over, not given back, so that a newcomer cannot overtake.
        const [next] = waiting;
        if (next === undefined) running -= 1;
        else next();
      }
    },
  };
}
