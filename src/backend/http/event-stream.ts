import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { ApiError } from "../../contract/api-error.ts";
import {
  authIntrospectionEvents,
  readEventsRequest,
  type InvalidationEventsRequest,
  type InvalidationMessage,
} from "../../contract/auth-introspection-events.ts";

/** A streaming answer: its first part, and the rest. */
export interface StreamAnswer {
  readonly status: 200;
  readonly first: InvalidationMessage;
  readonly rest: AsyncIterable<InvalidationMessage>;
}

/** Octets that may wait for a reader; one that is slower than its events is cut off, and asks again. */
const mostUnsent = 1_048_576;

/**
 * Reads where a stream continues: `Last-Event-ID`, which readers of event streams send by themselves, else the query's
 * `cursor`, which stays the same when such a reader reconnects.
 *
 * Throws {@link ApiError} 400 `A126202` for a cursor that is repeated or too long.
 */
export function readStreamRequest({ url = "", headers }: IncomingMessage): InvalidationEventsRequest {
  const asked = url.indexOf("?");
  const cursors = asked === -1 ? [] : new URLSearchParams(url.slice(asked)).getAll("cursor");
  if (cursors.length > 1) {
    throw new ApiError(400, "A126202", `${authIntrospectionEvents.path}, the query has more than one cursor.`);
  }
  const cursor = [headers["last-event-id"], ...cursors].find((text) => text !== undefined && text !== "");
  return readEventsRequest(cursor === undefined ? {} : { cursor });
}

/** Writes a stream to its end: the messages' own, the reader's going, or too much that it has not taken. */
export async function writeStream(
  response: ServerResponse,
  { status, first, rest }: StreamAnswer,
  requestId: string,
): Promise<void> {
  // The connection has served its purpose with the stream's end.
  response.shouldKeepAlive = false;
  response.writeHead(status, {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    // nginx would collect events before it passes them on.
    "X-Accel-Buffering": "no",
    "X-Request-Id": requestId,
  });
  response.write(textOf(first));
  try {
    for await (const message of rest) {
      if (response.destroyed) return;
      response.write(textOf(message));
      if (response.writableLength > mostUnsent) response.destroy();
    }
  } catch (error) {
    // The reader must not take it for an end in good order.
    response.destroy();
    throw error;
  }
  if (response.destroyed) return;
  response.end();
  await Promise.race([once(response, "finish"), once(response, "close")]);
}

/** No value can break these parts: JSON contains no raw line feed, and a cursor is the backend's text. */
function textOf({ type, cursor, ...data }: InvalidationMessage): string {
  return `event: ${type}\nid: ${cursor}\ndata: ${JSON.stringify(data)}\n\n`;
}
