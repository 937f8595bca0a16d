import { z } from "zod";
import { ApiError } from "./api-error.ts";
import type { EventStream } from "./operation.ts";

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

/** Characters that a cursor has at most. */
export const longestCursor = 512;

const after = z
  .string()
  .describe(
    "The `id` of the message before this one, or the cursor that was asked for. Anything else shows that something was lost.",
  );

const invalidationEventData = z
  .object({
    after,
    keys: z
      .array(z.string())
      .describe("Whatever rests on one of these (`invalidationKeys` of an introspection answer) is void."),
  })
  .meta({ id: "InvalidationEventData", description: "`data` of an event `invalidation`." });

const heartbeatEventData = z
  .object({
    after,
    polledAt: z
      .number()
      .min(0)
      .describe(
        "When the poll of the store began that found no more than has been sent, in milliseconds of a clock of this process that never runs backwards.",
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
  summary: "Watch for introspection answers that become void",
  description:
    "A stream of server-sent events for whoever remembers introspection answers of the service. `invalidation`: answers with one of these keys are void. `heartbeat`: the store was asked successfully, and all that it had has been sent; comes after every poll, about four times a second. `reset`: everything remembered is void; the first event without a cursor, and where a cursor cannot be continued. The `id` of each event is the cursor to go on from. The stream ends when the backend stops and when the service's own settings have changed; ask again with the last cursor.",
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
 * Reads what a reader asks for; a text that is no cursor of this backend is one that cannot be continued, and no error.
 *
 * Throws {@link ApiError} 400 `A126202` for what is no text at all, or too long for any cursor.
 *
 * @example readEventsRequest({ cursor: "bwcK0esc3ACC3DB2Y5_lEQ:0" })
 */
export function readEventsRequest(request: unknown): InvalidationEventsRequest {
  const parsed = eventsRequest.safeParse(request);
  if (parsed.success) return parsed.data;
  throw new ApiError(400, "A126202", `${authIntrospectionEvents.path}, the cursor is not a text of the right length.`);
}
