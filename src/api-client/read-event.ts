import { authIntrospectionEvents, longestCursor } from "../contract/auth-introspection-events.ts";
import type { InvalidationMessage } from "../contract/invalidation-message.ts";
import { BackendAnswerMalformed } from "./backend-unavailable.ts";

/** A server-sent event as it was parsed: fields that did not come are `undefined`. */
export interface ServerSentEvent {
  readonly event?: string | undefined;
  readonly id?: string | undefined;
  readonly data: string;
}

const { events, method, path } = authIntrospectionEvents;
/** Printable, so that it may go into a header or a log line of whoever keeps it. */
const cursorPattern = /^[\x21-\x7e]+$/;

/**
 * Reads one event of the stream; `undefined` for a type that is not known.
 *
 * Throws {@link BackendAnswerMalformed} for a known one that is not the contract's, and never quotes it.
 *
 * @example readEvent({ event: "reset", id: "bwcK0esc3ACC3DB2Y5_lEQ:0", data: "{}" })
 */
export function readEvent({ event, id, data }: ServerSentEvent): InvalidationMessage | undefined {
  if (event === undefined || !Object.hasOwn(events, event)) return undefined;
  if (id === undefined || id.length > longestCursor || !cursorPattern.test(id)) throw malformedEvent("id");
  const json = parse(data);
  const message = { type: event, cursor: id };
  switch (event as keyof typeof events) {
    case "invalidation":
      return { ...message, type: "invalidation", ...read(events.invalidation, json) };
    case "heartbeat":
      return { ...message, type: "heartbeat", ...read(events.heartbeat, json) };
    case "reset":
      read(events.reset, json);
      return { ...message, type: "reset" };
  }
}

/** `part` is what is wrong with it. */
export function malformedEvent(part: string): BackendAnswerMalformed {
  return new BackendAnswerMalformed(`${method} ${path}: an event does not have the right shape: ${part}.`);
}

interface Schema<Output> {
  safeParse(value: unknown): { success: true; data: Output } | { success: false };
}

function read<Output>(schema: Schema<Output>, json: unknown): Output {
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw malformedEvent("data");
  return parsed.data;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformedEvent("data");
  }
}
