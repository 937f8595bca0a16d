import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import {
  authIntrospectionEvents,
  longestCursor,
  readInvalidationMessage,
  type InvalidationMessage,
  type OpenInvalidationEvents,
} from "../contract/auth-introspection-events.ts";
import { isJsonObject } from "../oauth/json-object.ts";
import { type ApiConnection, resolveConnection } from "./api-connection.ts";
import { BackendAnswerMalformed, BackendUnavailable } from "./backend-unavailable.ts";
import { connectionFailure, openAgents } from "./exchange.ts";
import { errorOfAnswer } from "./read-answer.ts";

/** A parsed server-sent event; missing fields are `undefined`. */
interface ServerSentEvent {
  readonly event?: string | undefined;
  readonly id?: string | undefined;
  readonly data: string;
}

const { events, method, path } = authIntrospectionEvents;
/** Printable ASCII, so that a cursor can go into a header or a log line. */
const cursorPattern = /^[\x21-\x7e]+$/;

/**
 * Reads one event of the stream; `undefined` for an unknown type.
 *
 * Throws {@link BackendAnswerMalformed} for an event that violates the contract, and never quotes it.
 *
 * @example readEvent({ event: "reset", id: "bwcK0esc3ACC3DB2Y5_lEQ:0", data: "{}" })
 */
function readEvent({ event, id, data }: ServerSentEvent): InvalidationMessage | undefined {
  if (event === undefined || !Object.hasOwn(events, event)) return undefined;
  if (id === undefined || id.length > longestCursor || !cursorPattern.test(id)) throw malformedEvent("id");
  const json = parse(data);
  if (!isJsonObject(json)) throw malformedEvent("data");
  const message = readInvalidationMessage({ ...json, type: event, cursor: id });
  if ("error" in message) throw malformedEvent("data");
  return message;
}

/** `part` names what is wrong. */
function malformedEvent(part: string): BackendAnswerMalformed {
  return new BackendAnswerMalformed(`${method} ${path}: an event does not have the right shape: ${part}.`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformedEvent("data");
  }
}

/** Opens streams of invalidation events of one backend. */
export interface EventStreams {
  /**
   * Each stream has its own connection, which does not keep the process alive. Throws `ApiError`,
   * {@link BackendUnavailable} or {@link BackendAnswerMalformed}. Ends when the signal aborts.
   */
  readonly open: OpenInvalidationEvents;
  /** Aborts all streams. */
  close(): void;
}

const label = `${authIntrospectionEvents.method} ${authIntrospectionEvents.path}`;
/** Octets of a response that is not a stream. */
const maximumRefusal = 65_536;
/** Characters of one event. */
const maximumEvent = 1_048_576;
const timedOut = Symbol("timed out");

/**
 * Creates a reader of the backend's stream. It verifies certificates and follows no redirects.
 *
 * The response must start within the attempt timeout. After that the caller decides how long a silence may be.
 *
 * @example for await (const message of createEventStreams(connection).open({}, { signal })) …
 */
export function createEventStreams(options: ApiConnection): EventStreams {
  const connection = resolveConnection(options);
  const agents = openAgents(connection, { keepAlive: false });
  const address = connection.url(authIntrospectionEvents.path, authIntrospectionEvents.caller);
  const underWay = new Set<AbortController>();
  let closed = false;

  function connect(cursor: string | undefined, signal: AbortSignal): Promise<IncomingMessage> {
    const encrypted = address.startsWith("https:");
    const url = cursor === undefined ? address : `${address}?cursor=${encodeURIComponent(cursor.toWellFormed())}`;
    const request = (encrypted ? httpsRequest : httpRequest)(url, {
      agent: encrypted ? agents.https : agents.http,
      headers: {
        accept: "text/event-stream",
        "accept-encoding": "identity",
        authorization: connection.authorization,
      },
      signal,
    });
    return new Promise((resolve, reject) => {
      request.once("response", resolve);
      request.on("error", reject);
      // Node drops a response with status 101 without an error.
      request.once("close", () => {
        reject(new BackendUnavailable(`${label}: the connection ended without an answer.`, "ECONNRESET"));
      });
      request.end();
    });
  }

  async function* read(cursor: string | undefined, stop: AbortController): AsyncGenerator<InvalidationMessage> {
    const { createParser } = await import("eventsource-parser");
    const deadline = setTimeout(() => {
      stop.abort(timedOut);
    }, connection.attemptTimeout);
    let response: IncomingMessage;
    try {
      response = await connect(cursor, stop.signal);
      await refuseOthers(response);
    } finally {
      clearTimeout(deadline);
    }
    response.socket.unref();
    const decode = createDecoder();
    let ready: InvalidationMessage[] = [];
    const parser = createParser({
      onEvent: (event) => {
        const message = readEvent(event);
        if (message !== undefined) ready.push(message);
      },
      onError: ({ type }) => {
        if (type === "max-buffer-size-exceeded") throw malformedEvent("more than 1 MiB");
      },
      maxBufferSize: maximumEvent,
    });
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      parser.feed(decode(chunk));
      const messages = ready;
      ready = [];
      yield* messages;
    }
  }

  return {
    async *open({ cursor }, { signal }) {
      if (signal.aborted) return;
      if (closed) throw new BackendUnavailable(`${label}: the client is closed.`, "ERR_CLOSED");
      const stop = new AbortController();
      const abort = (): void => {
        stop.abort();
      };
      signal.addEventListener("abort", abort, { once: true });
      underWay.add(stop);
      try {
        yield* read(cursor, stop);
      } catch (error) {
        // A function call, because TypeScript assumes that `aborted` is still false.
        if (isAborted(signal)) return;
        if (stop.signal.aborted) throw broken(stop.signal.reason);
        throw isSystemError(error) ? connectionFailure(label, error) : error;
      } finally {
        signal.removeEventListener("abort", abort);
        underWay.delete(stop);
        stop.abort();
      }
    },
    close() {
      closed = true;
      for (const stop of underWay) stop.abort();
    },
  };

  function broken(reason: unknown): BackendUnavailable {
    return reason === timedOut
      ? new BackendUnavailable(`${label}: no answer within ${connection.attemptTimeout} ms.`, "ETIMEDOUT")
      : new BackendUnavailable(`${label}: the client is closed.`, "ERR_CLOSED");
  }
}

/** Throws for every response that is not the stream. */
async function refuseOthers(response: IncomingMessage): Promise<void> {
  const { statusCode = 0, headers } = response;
  if (statusCode !== 200)
    throw errorOfAnswer(authIntrospectionEvents, {
      statusCode,
      headers,
      body: await readText(response),
    });
  const coding = headers["content-encoding"] ?? "identity";
  if (coding.toLowerCase() !== "identity")
    throw new BackendAnswerMalformed(`${label}: the answer has a content coding.`);
  if (!/^text\/event-stream *(;|$)/i.test(headers["content-type"] ?? "")) {
    throw new BackendAnswerMalformed(`${label}: the answer is not a stream of events.`);
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) {
    text += chunk;
    if (text.length > maximumRefusal) throw new BackendAnswerMalformed(`${label}: the answer is too large.`);
  }
  return text;
}

/** A character may be split between two chunks. */
function createDecoder(): (chunk: Uint8Array) => string {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  return (chunk) => {
    try {
      return decoder.decode(chunk, { stream: true });
    } catch {
      throw malformedEvent("not UTF-8");
    }
  };
}

function isAborted({ aborted }: AbortSignal): boolean {
  return aborted;
}

function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}
