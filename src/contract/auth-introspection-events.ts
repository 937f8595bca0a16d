import { z } from "zod";
import { ApiError } from "./api-error.ts";
import type { InvalidationEventsRequest } from "./invalidation-message.ts";
import type { EventStream } from "./operation.ts";

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
