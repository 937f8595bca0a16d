import { warnOfFault } from "./fault.ts";

/** A whole answer as plain data; a header with several values is several lines. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
}

/** What can be ended: a connection, a stream of HTTP/2. */
interface Endable {
  destroy?(): unknown;
}

/** A request, as far as it leads to its connection. */
export interface AnsweredRequest {
  readonly socket?: Endable | null;
}

/**
 * A response of Node's own servers, or what some program takes for one: engine.io hands its middleware, for the start of
 * a WebSocket, an object that has few of these members and whose `writeHead` returns nothing.
 */
export interface AnswerTarget extends Endable {
  readonly headersSent?: boolean;
  readonly writableEnded?: boolean;
  readonly socket?: Endable | null;
  /** With HTTP/2 only. */
  readonly stream?: Endable | null;
  writeHead(status: number, headers: Record<string, string | string[]>): unknown;
  end(body: string): unknown;
}

/**
 * Writes an answer; where that cannot be done it closes the connection (with HTTP/2, the stream), so that the client does
 * not wait. Throws nothing: returns why it could not be written. Headers set before stay.
 *
 * @example const unwritten = answerOrClose(request, response, { status: 401, headers: {}, body: "" })
 */
export function answerOrClose(
  request: AnsweredRequest,
  response: AnswerTarget,
  { status, headers, body }: PlainAnswer,
): unknown {
  try {
    if (response.headersSent === true) {
      if (response.writableEnded === true) return undefined;
      throw new Error("The answer could not be written: another one had begun.");
    }
    response.writeHead(status, headers as Record<string, string | string[]>);
    response.end(body);
    return undefined;
  } catch (error) {
    closeConnection(request, response);
    return error ?? new Error("The answer could not be written.");
  }
}

/**
 * Ends the connection of a request, whatever state its response is in; with HTTP/2 its stream alone. Throws nothing.
 *
 * @example closeConnection(request, response)
 */
export function closeConnection(request: AnsweredRequest, response: Omit<AnswerTarget, "writeHead" | "end">): void {
  // With HTTP/2 the socket carries the other requests of the client as well.
  if (destroy(() => response.stream)) return;
  destroy(() => response);
  destroy(() => response.socket);
  destroy(() => request.socket);
}

const writers = ["setHeader", "writeHead", "end"] as const;

/**
 * Sees to it that a response that somebody else is about to write, a framework for example, throws nothing: where it would,
 * the connection is closed and the process warned. Frameworks do not catch what their last answer throws.
 *
 * @example guardWriting(request, response)
 */
export function guardWriting(request: AnsweredRequest, response: Omit<AnswerTarget, "writeHead" | "end">): void {
  const guarded = response as Record<(typeof writers)[number], (...given: unknown[]) => unknown>;
  for (const name of writers) {
    const write = guarded[name];
    guarded[name] = (...given) => {
      try {
        return write.apply(response, given);
      } catch (error) {
        closeConnection(request, response);
        warnOfFault(error);
        return response;
      }
    };
  }
}

function destroy(read: () => Endable | null | undefined): boolean {
  try {
    const one = read();
    if (typeof one?.destroy !== "function") return false;
    one.destroy();
    return true;
  } catch {
    // A getter or a method that throws; the next one may do.
    return false;
  }
}
