import type { z } from "zod";
import { ApiError } from "../contract/api-error.ts";
import { mayAnswerNothing, type Operation } from "../contract/operation.ts";
import { BackendAnswerMalformed } from "./backend-unavailable.ts";
import type { ExchangeAnswer } from "./exchange.ts";

/**
 * Reads the response of an operation.
 *
 * Throws `ApiError` for a status of 400 or above, with the result code and message of the body if it has them, and
 * {@link BackendAnswerMalformed} for a response that violates the contract. Neither quotes anything else.
 *
 * @example readAnswer(info, { statusCode: 200, headers: { "content-type": "application/json" }, body: "{…}" })
 */
export function readAnswer<Response extends z.ZodType>(
  operation: Operation<z.ZodType, Response>,
  answer: ExchangeAnswer,
): z.output<Response> {
  const malformed = (defect: string) =>
    new BackendAnswerMalformed(`${operation.method} ${operation.path}: the answer ${defect}.`);
  const nothing = answer.statusCode === 204 && mayAnswerNothing(operation);
  if (answer.statusCode !== 200 && !nothing) throw errorOfAnswer(operation, answer);
  const json = nothing ? undefined : jsonOf(answer);
  if (json === undefined && !nothing) throw malformed("is not JSON");
  const parsed = operation.response.safeParse(json);
  if (parsed.success) return parsed.data;
  const members = new Set(parsed.error.issues.map((issue) => String(issue.path[0] ?? "body")));
  throw malformed(`does not have the right shape: ${[...members].slice(0, 10).join(", ")}`);
}

/** The error for a status other than 200: `ApiError` from 400 on, otherwise {@link BackendAnswerMalformed}. */
export function errorOfAnswer(
  { method, path }: Pick<Operation, "method" | "path">,
  answer: ExchangeAnswer,
): ApiError | BackendAnswerMalformed {
  const { statusCode, headers } = answer;
  return statusCode < 400
    ? new BackendAnswerMalformed(`${method} ${path}: the answer has status ${statusCode}.`)
    : apiError(statusCode, headers["retry-after"], jsonOf(answer));
}

function jsonOf({ headers, body }: ExchangeAnswer): unknown {
  return isMediaType(headers["content-type"], "application/json") ? parse(body) : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A load balancer's error page has no result code, so the status takes its place. */
function apiError(status: number, retryAfter: string | string[] | undefined, json: unknown): ApiError {
  const members = (typeof json === "object" && json !== null ? json : {}) as Record<string, unknown>;
  const { resultCode, resultMessage } = members;
  const headers =
    typeof retryAfter === "string" && /^\d{1,9}$/.test(retryAfter) ? { "Retry-After": retryAfter } : undefined;
  const known = typeof resultCode === "string" && /^A\d{6}$/.test(resultCode);
  const code = known ? resultCode : String(status);
  const sentence = known && typeof resultMessage === "string" ? withoutCode(resultMessage) : "";
  return new ApiError(status, code, sentence || "The backend gave no reason.", headers && { headers });
}

function withoutCode(resultMessage: string): string {
  return resultMessage
    .slice(0, 500)
    .replace(/^\[A\d{6}\] */, "")
    .replace(/[^\x20-\x7e]/g, "?");
}

/**
 * Whether a Content-Type is this media type, ignoring parameters (RFC 9110 §8.3.1).
 *
 * @example isMediaType("application/json; charset=utf-8", "application/json") // true
 */
export function isMediaType(contentType: string | string[] | undefined, mediaType: string): boolean {
  if (typeof contentType !== "string") return false;
  const [essence = ""] = contentType.split(";");
  return essence.trim().toLowerCase() === mediaType;
}
