import { z } from "zod";
import { ApiError } from "./api-error.ts";
import type { EventStream } from "./operation.ts";

/**
 * One message of the stream of invalidation events.
 *
 * `cursor` is the reader's position after this message, `after` its position before. If `after` differs from the reader's
 * position, a message was lost, repeated or reordered. Cursors are opaque strings.
 */
export type InvalidationMessage =
  /** Cached answers with any of these keys are invalid. */
  | {
      readonly type: "invalidation";
      readonly after: string;
      readonly cursor: string;
      readonly keys: readonly string[];
    }
  /**
   * The store was polled successfully, and all its events have been sent. `polledAt`: the start of that poll, in
   * milliseconds of the node's monotonic clock.
   */
  | { readonly type: "heartbeat"; readonly after: string; readonly cursor: string; readonly polledAt: number }
  /** The reader has no cursor, or one that cannot be continued: its whole cache is invalid. It continues from here. */
  | { readonly type: "reset"; readonly cursor: string };

/** Where to start: after the message with this cursor; without a cursor, now. */
export interface InvalidationEventsRequest {
  readonly cursor?: string | undefined;
}

/**
 * Opens the stream. Without a cursor the first message is a `reset`. A heartbeat follows every poll.
 *
 * The iteration ends when the backend closes the stream, and throws when the connection fails. Otherwise it never ends.
 * Aborting the signal closes it.
 */
export type OpenInvalidationEvents = (
  request: InvalidationEventsRequest,
  options: { readonly signal: AbortSignal },
) => AsyncIterable<InvalidationMessage>;

/** Maximum length of a cursor in characters. */
export const longestCursor = 512;

const after = z
  .string()
  .describe(
    "The `id` of the message before this one, or the requested cursor. Anything else means that a message was lost.",
  );

const invalidationEventData = z
  .object({
    after,
    keys: z
      .array(z.string())
      .describe("Answers with one of these keys (`invalidationKeys` of an introspection answer) are invalid."),
  })
  .meta({ id: "InvalidationEventData", description: "`data` of an event `invalidation`." });

const heartbeatEventData = z
  .object({
    after,
    polledAt: z
      .number()
      .min(0)
      .describe(
        "The start of the poll of the store after which everything has been sent, in milliseconds of a monotonic clock of this process.",
      ),
  })
  .meta({ id: "HeartbeatEventData", description: "`data` of an event `heartbeat`." });

const resetEventData = z
  .object({})
  .meta({ id: "ResetEventData", description: "`data` of an event `reset`, which has no members." });

export const authIntrospectionEvents = {
  operationId: "auth_introspection_events_api",
  method: "GET",
  path: "/auth/introspection/events",
  caller: "service",
  summary: "Watch for invalid introspection answers",
  description:
    "A stream of server-sent events for callers that cache introspection answers of the service. `invalidation`: answers with one of these keys are invalid. `heartbeat`: the store was polled successfully, and all its events have been sent; follows every poll, about four times a second. `reset`: all cached answers are invalid; the first event without a cursor, or if the cursor cannot be continued. The `id` of each event is the cursor to continue from. The stream ends when the backend stops or the service's settings have changed; reconnect with the last cursor.",
  events: { invalidation: invalidationEventData, heartbeat: heartbeatEventData, reset: resetEventData },
  example: [
    "event: reset",
    "id: bwcK0esc3ACC3DB2Y5_lEQ:0",
    "data: {}",
    "",
    "event: invalidation",
    "id: bwcK0esc3ACC3DB2Y5_lEQ:1.A4DtL2JmUMg",
    'data: {"after":"bwcK0esc3ACC3DB2Y5_lEQ:0","keys":["client:3693555439:4326385670"]}',
    "",
    "event: heartbeat",
    "id: bwcK0esc3ACC3DB2Y5_lEQ:1.A4DtL2JmUMg",
    'data: {"after":"bwcK0esc3ACC3DB2Y5_lEQ:1.A4DtL2JmUMg","polledAt":81250.125}',
    "",
    "",
  ].join("\n"),
} as const satisfies EventStream;

const cursor = z.string();
const messages = z.discriminatedUnion("type", [
  invalidationEventData.extend({ type: z.literal("invalidation"), cursor }),
  heartbeatEventData.extend({ type: z.literal("heartbeat"), cursor }),
  resetEventData.extend({ type: z.literal("reset"), cursor }),
]);

/**
 * Reads one message of the stream, whoever sent it; unknown members are left out.
 *
 * @example readInvalidationMessage({ type: "reset", cursor: "bwcK0esc3ACC3DB2Y5_lEQ:0" })
 */
export function readInvalidationMessage(message: unknown): InvalidationMessage | { readonly error: string } {
  const { success, data } = messages.safeParse(message);
  return success ? data : { error: "the message does not have the right shape" };
}

const eventsRequest = z.object({ cursor: z.string().max(longestCursor).optional() });

/**
 * Reads a request for the stream. An unknown cursor is not an error: it cannot be continued, so the stream resets.
 *
 * Throws {@link ApiError} 400 `A126202` for a cursor that is not a string or is too long.
 *
 * @example readEventsRequest({ cursor: "bwcK0esc3ACC3DB2Y5_lEQ:0" })
 */
export function readEventsRequest(request: unknown): InvalidationEventsRequest {
  const parsed = eventsRequest.safeParse(request);
  if (parsed.success) return parsed.data;
  throw new ApiError(
    400,
    "A126202",
    `${authIntrospectionEvents.path}, the cursor is not a string of the right length.`,
  );
}
