import { warnOfFault } from "./fault.ts";

/** A complete response as plain data; a header with several values becomes several lines. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
}

/** A connection or an HTTP/2 stream. */
interface Endable {
  destroy?(): unknown;
}

/** A request, as far as it is needed to find its connection. */
export interface AnsweredRequest {
  readonly socket?: Endable | null;
}

/**
 * A response of Node's servers, or an object used like one: for a WebSocket handshake, engine.io passes its middleware
 * an object with few of these members, whose `writeHead` returns nothing.
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
 * Writes a response; if that fails, closes the connection (with HTTP/2, the stream), so that the client does not wait.
 * Throws nothing: returns the error. Keeps headers that were set before.
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
 * Closes the connection of a request, in any state of its response; with HTTP/2 only the stream. Throws nothing.
 *
 * @example closeConnection(request, response)
 */
export function closeConnection(request: AnsweredRequest, response: Omit<AnswerTarget, "writeHead" | "end">): void {
  // With HTTP/2 the socket carries other requests of the client, too.
  if (destroy(() => response.stream)) return;
  destroy(() => response);
  destroy(() => response.socket);
  destroy(() => request.socket);
}

const writers = ["setHeader", "writeHead", "end"] as const;

/**
 * Makes a response throw nothing while other code, such as a framework, writes it: if it would throw, the connection is
 * closed and a warning emitted. Frameworks do not catch errors of their last response.
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
    // A getter or a method threw; the next object may work.
    return false;
  }
}
