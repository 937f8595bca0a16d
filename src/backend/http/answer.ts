import type { ServerResponse } from "node:http";
import { ApiError } from "../../contract/api-error.ts";

/** The answer to the API caller. */
export interface Answer {
  readonly status: number;
  /** Absent with an empty body, for 204. */
  readonly contentType?: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The value that was written, from which the log takes facts about the call; absent for a document. */
  readonly outcome?: object | undefined;
}

interface JsonAnswerOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Indented, for people. */
  readonly pretty?: boolean;
  /** A document: its members come from the caller, and none is logged. */
  readonly isDocument?: boolean;
}

/** The answer without content (RFC 9110 §15.3.5). */
export const noContent: Answer = Object.freeze({ status: 204, body: "" });

/** An answer in JSON; members that are `undefined` are left out. */
export function jsonAnswer(status: number, value: object, how: JsonAnswerOptions = {}): Answer {
  const { headers, pretty = false, isDocument = false } = how;
  return {
    status,
    contentType: "application/json",
    body: pretty ? `${JSON.stringify(value, undefined, 2)}\n` : JSON.stringify(value),
    ...(headers !== undefined && { headers }),
    outcome: isDocument ? undefined : value,
  };
}

/** Writes the answer in one go: nothing of it may be kept by a cache or guessed at by a browser. */
export function writeAnswer(response: ServerResponse, answer: Answer, requestId: string): void {
  response.writeHead(answer.status, {
    ...(answer.contentType !== undefined && {
      "Content-Type": answer.contentType,
      "Content-Length": Buffer.byteLength(answer.body),
    }),
    "Cache-Control": "no-store",
    Pragma: "no-cache",
    "X-Content-Type-Options": "nosniff",
    "X-Request-Id": requestId,
    ...answer.headers,
  });
  response.end(answer.body);
}

/** The API's answer for an error. */
export function errorAnswer({ status, resultCode, resultMessage, headers }: ApiError): Answer {
  return jsonAnswer(status, { resultCode, resultMessage }, { headers });
}

/** The API has no such path. */
export function nothingHere(): ApiError {
  return new ApiError(404, "A000201", "There is nothing at this path.");
}

/** The path is one of the API's, the method is not one of the path's. */
export function methodNotAllowed(allowed: readonly string[]): ApiError {
  const allow = [...new Set(allowed)].sort().join(", ");
  return new ApiError(405, "A000201", `The method has to be one of: ${allow}.`, { headers: { Allow: allow } });
}
