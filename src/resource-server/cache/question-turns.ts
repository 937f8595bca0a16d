import { IntrospectionUnavailable } from "../introspection-unavailable.ts";

/** How many questions a resource server asks one issuer at a time, and how many more may wait for their turn. */
export interface TurnLimits {
  readonly maxConcurrent: number;
  readonly maxQueued: number;
}

export interface QuestionTurns {
  /**
   * Gives a turn at once when one is free, else when it is due; the turn is ended by calling what it is.
   *
   * Throws {@link IntrospectionUnavailable} when too many wait already; a turn that is waited for is not given any more
   * when the signal is aborted, and rejects with its reason.
   */
  take(signal: AbortSignal): EndTurn | Promise<EndTurn>;
}

export type EndTurn = () => void;

/**
 * Creates the queue in front of one issuer: an outage there must not become one here, by ever more that waits.
 *
 * @example const turn = turns.take(signal); const end = typeof turn === "function" ? turn : await turn
 */
export function createQuestionTurns({ maxConcurrent, maxQueued }: TurnLimits): QuestionTurns {
  let taken = 0;
  const queue = new Set<() => void>();

  function give(): EndTurn {
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const [next] = queue;
      if (next === undefined) {
        taken -= 1;
        return;
      }
      queue.delete(next);
      next();
    };
  }

  return {
    take(signal) {
      signal.throwIfAborted();
      if (taken < maxConcurrent) {
        taken += 1;
        return give();
      }
      if (queue.size >= maxQueued) throw new IntrospectionUnavailable("too many questions wait for an answer");
      return new Promise((resolve, reject) => {
        const onTurn = (): void => {
          signal.removeEventListener("abort", onAbort);
          resolve(give());
        };
        const onAbort = (): void => {
          queue.delete(onTurn);
          reject(signal.reason as Error);
        };
        signal.addEventListener("abort", onAbort, { once: true });
        queue.add(onTurn);
      });
    },
  };
}
