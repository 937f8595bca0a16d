import { type InvalidationMessage, readInvalidationMessage } from "../../api-client/introspection-caller.ts";
import type { Coverage } from "./freshness.ts";

/** The position in a stream of invalidation events. */
export interface StreamPosition {
  /** Always the same object, with the current values. */
  readonly coverage: Coverage;
  /** The cursor of the last processed message; `undefined` before the first. */
  readonly cursor: string | undefined;
  /** Call before the request for the stream is sent. */
  opening(): void;
  /**
   * Processes a message. Throws {@link StreamBroken}, without changing its state, if the message does not follow the
   * last one or has an impossible time; the stream must then be reopened.
   */
  take(message: InvalidationMessage): void;
  /** How long after `opening` the connection's first heartbeat came, in milliseconds. */
  readonly anchoredAfter: number | undefined;
}

export interface StreamPositionParts {
  readonly monotonicClock: () => number;
  /** Called with the invalidated keys. */
  readonly onInvalidation: (keys: readonly string[]) => void;
  /** Called when events may have been lost, before the coverage is reset. */
  readonly onLoss: () => void;
}

/** A message was lost, duplicated, out of order or malformed. */
export class StreamBroken extends Error {
  override readonly name = "StreamBroken";
}

/**
 * How much faster the backend's clock may run than this process's: 1 ms per second. The lease advances that much
 * slower. (Disciplined clocks differ by less than 0.5 ms per second, see adjtimex(2).)
 */
export const driftAllowance = 1 / 1000;

/**
 * Creates the reader's position in the stream, from which the {@link Coverage} follows.
 *
 * A heartbeat says when its poll began, on a clock that only the backend reads. The poll of the first heartbeat on a
 * connection began after the request for the stream was sent; later heartbeats count from it. So the lease is never
 * later than the beginning of the poll, on this process's monotonic clock (docs/staleness.md).
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
          // An invalidation applies in any order; only the coverage depends on the order.
          onInvalidation(message.keys);
          follows(message.after);
          break;
        case "heartbeat":
          follows(message.after);
          advance(message.polledAt);
          break;
        case "reset":
          // The very first message is no loss: nothing depended on the stream yet.
          if (cursor !== undefined) onLoss();
          coverage.since = Infinity;
          coverage.lease = -Infinity;
      }
      ({ cursor } = message);
    },
  };
}
