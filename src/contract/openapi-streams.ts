import { longestCursor } from "./auth-introspection-events.ts";
import type { EventStream } from "./event-stream.ts";
import { errorReferences } from "./openapi-error-answers.ts";
import { exportSchemas, idOf, type JsonObject } from "./openapi-schemas.ts";

const cursor: JsonObject = { type: "string", maxLength: longestCursor };

/**
 * What an operation that answers with events has in place of bodies.
 *
 * OpenAPI 3.1 knows the answer as one text; `x-event-data` says which schema the `data` of each event type has. In
 * place, since what only an extension refers to counts as unused.
 */
export function streamOperation({ events, example }: EventStream): JsonObject {
  return {
    parameters: [
      {
        name: "Last-Event-ID",
        in: "header",
        description: "The `id` of the last event that was taken in, to go on from there; counts before `cursor`.",
        schema: cursor,
      },
      { name: "cursor", in: "query", description: "The same, for whoever cannot set headers.", schema: cursor },
    ],
    responses: {
      200: {
        description: "The stream, which goes on until one side ends it.",
        content: {
          "text/event-stream": {
            schema: { type: "string", description: "Server-sent events, UTF-8." },
            example,
            "x-event-data": Object.fromEntries(
              Object.entries(events).map(([type, schema]) => [type, exportSchemas([schema])[idOf(schema)] ?? {}]),
            ),
          },
        },
      },
      ...errorReferences([400, 401, 404, 405, 500, 503]),
    },
  };
}
