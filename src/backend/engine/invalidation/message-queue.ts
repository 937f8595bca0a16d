import type { InvalidationMessage } from "../../../contract/auth-introspection-events.ts";

/** Between the follower, which never waits, and a reader, who takes as long as it likes. */
export interface MessageQueue {
  /** The reader's position after the messages in the queue; `undefined` before the first message. */
  readonly cursor: string | undefined;
  push(message: InvalidationMessage): void;
  /** Ends the queue after the messages that it contains. */
  end(): void;
  /** As {@link end}, but the reader is thrown the error then. */
  fail(error: unknown): void;
  /** Drops the messages in the queue. */
  abandon(): void;
  messages(): AsyncGenerator<InvalidationMessage, void, undefined>;
}

/** How many messages a reader may be behind, in the queue or in the store; after more it gets a `reset`. */
export const mostBehind = 10_000;

/** Creates the queue of a reader at the position `cursor`. */
export function createMessageQueue(cursor: string | undefined): MessageQueue {
  let queue: InvalidationMessage[] = [];
  let standsAt = cursor;
  let ending: { readonly error?: unknown } | undefined;
  let waiting: PromiseWithResolvers<undefined> | undefined;

  function wake(): void {
    waiting?.resolve(undefined);
    waiting = undefined;
  }

  function finish(how: { readonly error?: unknown }): void {
    ending ??= how;
    wake();
  }

  return {
    get cursor() {
      return standsAt;
    },
    push(message) {
      if (ending !== undefined) return;
      standsAt = message.cursor;
      if (message.type === "reset" || queue.length >= mostBehind) {
        queue = [{ type: "reset", cursor: message.cursor }];
        if (message.type === "heartbeat") queue.push({ ...message, after: message.cursor });
      } else {
        const last = queue.at(-1);
        if (message.type === "heartbeat" && last?.type === "heartbeat") {
          // The later one certifies all that the earlier one did.
          queue[queue.length - 1] = { ...message, after: last.after };
        } else {
          queue.push(message);
        }
      }
      wake();
    },
    end() {
      finish({});
    },
    fail(error) {
      finish({ error });
    },
    abandon() {
      queue = [];
      finish({});
    },
    async *messages() {
      for (;;) {
        const message = queue.shift();
        if (message !== undefined) {
          yield message;
        } else if (ending === undefined) {
          waiting = Promise.withResolvers();
          await waiting.promise;
        } else {
          if ("error" in ending) throw ending.error;
          return;
        }
      }
    },
  };
}
