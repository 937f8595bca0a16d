/**
 * One message of the stream of invalidation events (DESIGN: push invalidation).
 *
 * `cursor` is where the reader stands after this message, `after` where it has to stand before it: a message whose
 * `after` is not where the reader stands shows that something was lost, doubled or reordered on the way. Cursors are
 * opaque texts.
 */
export type InvalidationMessage =
  /** What was cached under any of these keys is void. */
  | {
      readonly type: "invalidation";
      readonly after: string;
      readonly cursor: string;
      readonly keys: readonly string[];
    }
  /**
   * The store was asked for events successfully, and all that it had have gone before. `polledAt`: when that poll
   * began, in milliseconds of the node's monotonic clock, from any beginning.
   */
  | { readonly type: "heartbeat"; readonly after: string; readonly cursor: string; readonly polledAt: number }
  /** The reader's cursor cannot be continued (or it had none): whatever it has cached is void; it goes on from here. */
  | { readonly type: "reset"; readonly cursor: string };

/** Where a reader wants to go on: at the cursor of the last message it has taken in; without one, from now. */
export interface InvalidationEventsRequest {
  readonly cursor?: string | undefined;
}

/**
 * Opens the stream; the first message to a reader without a cursor is a `reset`, then a heartbeat follows every poll.
 *
 * The iteration ends when the backend closes the stream and throws when it breaks off; it never ends by itself while
 * both sides are well. Aborting the signal closes it.
 */
export type OpenInvalidationEvents = (
  request: InvalidationEventsRequest,
  options: { readonly signal: AbortSignal },
) => AsyncIterable<InvalidationMessage>;
