import type { InvalidationMessage, OpenInvalidationEvents } from "../../../src/api-client/introspection-caller.ts";

/** One connection of a scripted stream. */
export interface ScriptedConnection {
  /** The cursor that was asked for. */
  readonly cursor: string | undefined;
  /** What the reader finds next, as it is. */
  push(...messages: unknown[]): void;
  end(): void;
  fail(error: Error): void;
  /** Whether the reader has gone. */
  readonly closed: () => boolean;
}

/** A stream of invalidation events whose every message is the test's. */
export interface ScriptedStream {
  readonly open: OpenInvalidationEvents;
  /** All there were, in order. */
  readonly connections: ScriptedConnection[];
  /** The latest; throws when there is none. */
  latest(): ScriptedConnection;
  /** Called when a connection is opened. */
  onOpen: ((connection: ScriptedConnection) => void) | undefined;
}

export function createScriptedStream(): ScriptedStream {
  const connections: ScriptedConnection[] = [];
  const stream: ScriptedStream = {
    connections,
    onOpen: undefined,
    latest() {
      const connection = connections.at(-1);
      if (connection === undefined) throw new Error("the stream has not been opened");
      return connection;
    },
    open({ cursor }, { signal }) {
      const queue: unknown[] = [];
      let ending: { readonly error?: Error } | undefined;
      let wake = (): void => undefined;
      let gone = false;
      const connection: ScriptedConnection = {
        cursor,
        push(...messages) {
          queue.push(...messages);
          wake();
        },
        end() {
          ending ??= {};
          wake();
        },
        fail(error) {
          ending ??= { error };
          wake();
        },
        closed: () => gone || signal.aborted,
      };
      connections.push(connection);
      signal.addEventListener("abort", () => {
        wake();
      });
      stream.onOpen?.(connection);
      return (async function* read(): AsyncGenerator<InvalidationMessage> {
        try {
          for (;;) {
            if (signal.aborted) return;
            if (queue.length > 0) yield queue.shift() as InvalidationMessage;
            else if (ending?.error !== undefined) throw ending.error;
            else if (ending !== undefined) return;
            else
              await new Promise<void>((resolve) => {
                wake = resolve;
              });
          }
        } finally {
          gone = true;
        }
      })();
    },
  };
  return stream;
}

/** Messages that follow one upon the other, from a cursor that is a number. */
export function createChain(epoch = "e", from = 0) {
  let position = from;
  const at = (): string => `${epoch}:${position}`;
  return {
    at,
    reset: () => ({ type: "reset", cursor: at() }) as const,
    heartbeat: (polledAt: number) => ({ type: "heartbeat", after: at(), cursor: at(), polledAt }) as const,
    invalidation(...keys: string[]) {
      const after = at();
      position += 1;
      return { type: "invalidation", after, cursor: at(), keys } as const;
    },
  };
}
