import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { ExecutionContext } from "ava";

/** A stream of server-sent events as it comes over a connection of its own, read by no code of ours. */
export interface EventSource {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  /** The next event, or `undefined` at the end in good order; rejects when the connection broke. */
  readonly next: () => Promise<EventSourceMessage | undefined>;
  /** Events up to and including the first that is of this type. */
  readonly until: (type: string) => Promise<EventSourceMessage[]>;
  /** All of an answer that is no stream. */
  readonly text: () => Promise<string>;
  /** Takes nothing more off the connection. */
  readonly stall: () => void;
  readonly request: ClientRequest;
}

/** Asks for the stream and resolves with the head of the answer; the connection is gone after the test. */
export async function openEventSource(
  t: ExecutionContext,
  url: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
): Promise<EventSource> {
  const asked = request(url, { method, headers: { accept: "text/event-stream", ...headers }, agent: false });
  t.teardown(() => asked.destroy());
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.once("response", resolve);
    asked.on("error", reject);
    asked.end();
  });
  const events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => events.push(event) });
  const chunks = (response.setEncoding("utf8") as AsyncIterable<string>)[Symbol.asyncIterator]();

  async function next(): Promise<EventSourceMessage | undefined> {
    for (;;) {
      const event = events.shift();
      if (event !== undefined) return event;
      const chunk = await chunks.next();
      if (chunk.done === true) return undefined;
      parser.feed(chunk.value);
    }
  }

  return {
    status: response.statusCode,
    headers: response.headers,
    next,
    async until(type) {
      const found = [];
      for (;;) {
        const event = await next();
        if (event === undefined) throw new Error(`the stream ended before ${type}`);
        found.push(event);
        if (event.event === type) return found;
      }
    },
    async text() {
      let text = "";
      for (let chunk = await chunks.next(); chunk.done !== true; chunk = await chunks.next()) text += chunk.value;
      return text;
    },
    stall() {
      response.socket.pause();
    },
    request: asked,
  };
}
