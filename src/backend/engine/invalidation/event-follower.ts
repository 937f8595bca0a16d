import type { InvalidationEventsRequest, InvalidationMessage } from "../../../contract/auth-introspection-events.ts";
import { serviceKey } from "../../store/invalidation-keys.ts";
import type { StoredInvalidationEvent } from "../../store/store.ts";
import type { Dependencies } from "../dependencies.ts";
import { createMessageQueue, type MessageQueue, mostBehind } from "./message-queue.ts";
import { createPollTimer, type Wait } from "./poll-timer.ts";

/** Polls the store for all streams of this process together. */
export interface EventFollower {
  /** Opens a stream of a service's events; throws {@link StreamUnavailable}, or `StoreFailure`, as its first step. */
  open(
    serviceId: number,
    request: InvalidationEventsRequest,
    signal: AbortSignal,
  ): AsyncGenerator<InvalidationMessage, void, undefined>;
  /** Events may have come: polls sooner than otherwise. Proves nothing, and nothing rests on it. */
  hint(): void;
  /** Ends every stream, and refuses new ones. */
  close(): void;
}

/** The process has reached its maximum of streams, or is shutting down (503). */
export class StreamUnavailable extends Error {
  override readonly name = "StreamUnavailable";
}

/** Streams a process has at most. */
const mostStreams = 1_000;
/** Events a reading. */
const batch = 500;

interface Stream {
  readonly serviceId: number;
  readonly queue: MessageQueue;
}

type FollowerDependencies = Pick<Dependencies, "store" | "monotonicClock" | "heartbeatInterval" | "reportFault"> & {
  readonly wait?: Wait;
};

/**
 * Follows the store's events with one poll for all streams: each poll sends its events first, then a heartbeat.
 *
 * A stream joins in a poll that began after the stream was requested, so that no heartbeat is older than its request.
 * Without streams there are no polls, and polls never overlap. A failed poll sends nothing.
 */
export function createEventFollower(dependencies: FollowerDependencies): EventFollower {
  const { store, monotonicClock, reportFault } = dependencies;
  /** Waiting for the next poll to begin. */
  const arriving = new Set<Stream>();
  const joined = new Map<number, Set<Stream>>();
  let open = 0;
  let closed = false;
  /** The position of all joined streams in the store's events; `undefined` while there are none. */
  let cursor: string | undefined;
  let failing = false;
  const timer = createPollTimer(poll, { ...dependencies, interval: dependencies.heartbeatInterval });

  async function poll(): Promise<void> {
    const polledAt = monotonicClock();
    const arrived = [...arriving];
    try {
      const head = await readOn();
      await admit(arrived, head);
      for (const streams of joined.values()) {
        for (const { queue } of streams) {
          queue.push({ type: "heartbeat", after: queue.cursor ?? head, cursor: head, polledAt });
        }
      }
      failing = false;
    } catch (error) {
      for (const { queue } of arrived) queue.fail(error);
      // Once an outage: the next line is due when polls have succeeded again.
      if (!failing) reportFault?.(error, "the store could not be polled for invalidation events");
      failing = true;
    }
  }

  /** Reads and distributes all committed events; returns the position of the last. */
  async function readOn(): Promise<string> {
    for (;;) {
      const read = await store.readInvalidationEvents({ after: cursor, limit: batch });
      if (read.reset) {
        // Changes of the services are unknown, too: readers have to authenticate again.
        if (cursor !== undefined) resetAll(read.cursor);
        return (cursor = read.cursor);
      }
      for (const event of read.events) {
        for (const stream of joined.get(event.serviceId) ?? []) deliver(stream, event);
      }
      cursor = read.cursor;
      if (read.complete) return cursor;
    }
  }

  function resetAll(to: string): void {
    for (const { queue } of [...joined.values()].flatMap((streams) => [...streams])) {
      queue.push({ type: "reset", cursor: to });
      queue.end();
    }
    joined.clear();
  }

  /** Admits streams from other positions, after sending them the events up to the position of the others. */
  async function admit(arrived: readonly Stream[], head: string): Promise<void> {
    // Readers that lost the same backend usually have the same position.
    for (const [from, streams] of Map.groupBy(arrived, ({ queue }) => queue.cursor)) {
      const missed = from === undefined ? undefined : await readMissed(from, head);
      for (const stream of streams) {
        // Who has gone in the meantime is not let in.
        if (!arriving.delete(stream)) continue;
        const ofService = joined.get(stream.serviceId);
        if (ofService === undefined) joined.set(stream.serviceId, new Set([stream]));
        else ofService.add(stream);
        if (missed === undefined) stream.queue.push({ type: "reset", cursor: head });
        for (const event of missed ?? []) if (event.serviceId === stream.serviceId) deliver(stream, event);
      }
    }
  }

  /** `undefined` when there are too many, or when they are no longer known. */
  async function readMissed(from: string, head: string): Promise<StoredInvalidationEvent[] | undefined> {
    const missed: StoredInvalidationEvent[] = [];
    for (let after = from; ;) {
      const read = await store.readInvalidationEvents({ after, upTo: head, limit: batch });
      if (read.reset || missed.length + read.events.length > mostBehind) return undefined;
      missed.push(...read.events);
      if (read.complete) return missed;
      after = read.cursor;
    }
  }

  function leave(stream: Stream): void {
    arriving.delete(stream);
    const ofService = joined.get(stream.serviceId);
    ofService?.delete(stream);
    if (ofService?.size === 0) joined.delete(stream.serviceId);
  }

  function deliver(stream: Stream, { keys, cursor: to, serviceId }: StoredInvalidationEvent): void {
    const { queue } = stream;
    queue.push({ type: "invalidation", after: queue.cursor ?? to, cursor: to, keys });
    if (!keys.includes(serviceKey(serviceId))) return;
    // The credentials that opened the stream may no longer be valid.
    leave(stream);
    queue.end();
  }

  return {
    async *open(serviceId, request, signal) {
      if (signal.aborted) return;
      if (closed) throw new StreamUnavailable("The backend is stopping.");
      if (open >= mostStreams) throw new StreamUnavailable(`There are ${mostStreams} streams already.`);
      const stream = { serviceId, queue: createMessageQueue(request.cursor) };
      const abandon = (): void => {
        stream.queue.abandon();
      };
      signal.addEventListener("abort", abandon, { once: true });
      arriving.add(stream);
      open += 1;
      timer.soon();
      try {
        yield* stream.queue.messages();
      } finally {
        signal.removeEventListener("abort", abandon);
        leave(stream);
        open -= 1;
        if (open === 0) {
          timer.stop();
          cursor = undefined;
        }
      }
    },
    hint() {
      if (open > 0) timer.soon();
    },
    close() {
      closed = true;
      for (const { queue } of arriving) queue.fail(new StreamUnavailable("The backend is stopping."));
      for (const streams of joined.values()) for (const { queue } of streams) queue.end();
    },
  };
}
