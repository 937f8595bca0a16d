import { type InvalidationMessage, readInvalidationMessage } from "../../api-client/introspection-caller.ts";
import type { Coverage } from "./freshness.ts";

/** What the messages of a stream of invalidation events have told so far. */
export interface StreamPosition {
  /** The same object always, with what is so now. */
  readonly coverage: Coverage;
  /** Of the last message that was taken in; `undefined` before the first. */
  readonly cursor: string | undefined;
  /** To be called before the request for the stream is sent. */
  opening(): void;
  /**
   * Takes a message in. Throws {@link StreamBroken}, and has learnt nothing, when it does not follow upon the last one
   * or tells an impossible time: the stream must be opened anew.
   */
  take(message: InvalidationMessage): void;
  /** The connection's first heartbeat came; how long after `opening`, milliseconds. */
  readonly anchoredAfter: number | undefined;
}

export interface StreamPositionParts {
  readonly monotonicClock: () => number;
  /** What rests on these keys is void. */
  readonly onInvalidation: (keys: readonly string[]) => void;
  /** Events may have been lost; called while the coverage is still what it was. */
  readonly onLoss: () => void;
}

/** A message was lost, doubled, put out of order, or makes no sense. */
export class StreamBroken extends Error {
  override readonly name = "StreamBroken";
}

/**
 * How much faster than this process's clock the backend's may run: 1 ms a second. The lease advances slower by it.
 * (Clocks that are disciplined differ by less than 0.5 ms a second, see adjtimex(2).)
 */
export const driftAllowance = 1 / 1000;

/**
 * Creates the reader's place in the stream, and what follows from it: {@link Coverage}.
 *
 * A heartbeat tells when its poll began by a clock that only the backend reads. The first one on a connection is of a
 * poll that began after the request for the stream was sent; the others count from it. So the lease never stands later
 * than the beginning of the poll, on this process's monotonic clock (docs/staleness.md).
 *
 * @example position.opening(); for await (const message of events({ cursor }, { signal })) position.take(message)
 */
export function createStreamPosition({ monotonicClock, onInvalidation, onLoss }: StreamPositionParts): StreamPosition {
  const coverage = { since: Infinity, lease: -Infinity };
  let cursor: string | undefined;
  let openedAt = Infinity;
  let anchor: { readonly polledAt: number; readonly after: number } | undefined;
  let lastPolledAt = -Infinity;

  function follows(after: string): void {
    if (cursor === undefined || after !== cursor) throw new StreamBroken("a message does not follow upon the last one");
  }

  function advance(polledAt: number): void {
    const now = monotonicClock();
    if (!Number.isFinite(polledAt) || polledAt < lastPolledAt) throw new StreamBroken("the time of a poll went back");
    const { polledAt: first, after } = anchor ?? { polledAt, after: now - openedAt };
    const lease = openedAt + (polledAt - first) * (1 - driftAllowance);
    if (!(lease <= now)) throw new StreamBroken("the time of a poll lies ahead");
    anchor = { polledAt: first, after };
    lastPolledAt = polledAt;
    if (coverage.since === Infinity) coverage.since = now;
    coverage.lease = Math.max(coverage.lease, lease);
  }

  return {
    coverage,
    get cursor() {
      return cursor;
    },
    get anchoredAfter() {
      return anchor?.after;
    },
    opening() {
      openedAt = monotonicClock();
      anchor = undefined;
      lastPolledAt = -Infinity;
    },
    take(given) {
      // A source may be the program's own.
      const message = readInvalidationMessage(given);
      if ("error" in message) throw new StreamBroken("a message cannot be read");
      switch (message.type) {
        case "invalidation":
          // Void is void, in whatever order it comes; only what follows from the order needs the order.
          onInvalidation(message.keys);
          follows(message.after);
          break;
        case "heartbeat":
          follows(message.after);
          advance(message.polledAt);
          break;
        case "reset":
          // The first of all: nothing has rested on the stream.
          if (cursor !== undefined) onLoss();
          coverage.since = Infinity;
          coverage.lease = -Infinity;
      }
      ({ cursor } = message);
    },
  };
}
