import type { Agent } from "node:https";
import got, { RequestError } from "got";
import { isJsonObject, type JsonObject } from "../oauth/json-object.ts";
import { AuthorizationServerMalformed, AuthorizationServerUnavailable } from "./token-errors.ts";

/** One question to the authorization server; `what` names it in messages. */
export interface AuthorizationServerRequest {
  readonly what: string;
  readonly url: string;
  /** Sent with POST; without one it is a GET. */
  readonly form?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How it is asked. */
export interface RequestConditions {
  readonly agent: Agent;
  /** Milliseconds for the whole answer. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** `json`: the body when it is a JSON object. */
export interface AuthorizationServerResponse {
  readonly status: number;
  readonly json: JsonObject | undefined;
}

const maximumAnswer = 1_048_576;
const tooLarge = Symbol("too large");

/**
 * Asks the authorization server, once: redirects are not followed, nothing is repeated.
 *
 * Rejects with {@link AuthorizationServerUnavailable} (no answer, 429, 5xx) or {@link AuthorizationServerMalformed}
 * (larger than 1 MiB).
 *
 * @example const { status, json } = await requestAuthorizationServer({ what: "The metadata", url }, { agent, timeout: 10_000, signal })
 */
export async function requestAuthorizationServer(
  { what, url, form, headers }: AuthorizationServerRequest,
  { agent, timeout, signal }: RequestConditions,
): Promise<AuthorizationServerResponse> {
  const stop = new AbortController();
  try {
    const pending = got(url, {
      method: form === undefined ? "GET" : "POST",
      headers: {
        accept: "application/json",
        ...(form !== undefined && { "content-type": "application/x-www-form-urlencoded" }),
        ...headers,
      },
      ...(form !== undefined && { body: form }),
      responseType: "text",
      // What is not compressed cannot be larger than it looks.
      decompress: false,
      agent: { https: agent },
      followRedirect: false,
      throwHttpErrors: false,
      signal: AbortSignal.any([signal, stop.signal]),
      timeout: { request: timeout },
      retry: { limit: 0 },
    });
    void pending.on("downloadProgress", ({ transferred }) => {
      if (transferred > maximumAnswer) stop.abort(tooLarge);
    });
    const { statusCode: status, headers: fields, body } = await pending;
    if (status === 429 || status >= 500) {
      throw new AuthorizationServerUnavailable(`${what}: the answer has status ${status}.`, `HTTP_${status}`);
    }
    return { status, json: isJson(fields["content-type"]) ? readObject(body) : undefined };
  } catch (error) {
    if (stop.signal.aborted) throw new AuthorizationServerMalformed(`${what}: the answer is too large.`);
    throw error instanceof AuthorizationServerUnavailable ? error : failure(what, error);
  }
}

/** got's errors carry the request with its credentials and body: only the system's code and words are taken over. */
function failure(what: string, error: unknown): AuthorizationServerUnavailable {
  const { code, message } =
    error instanceof RequestError ? error : { code: "ERR_REQUEST", message: "The request could not be made." };
  return new AuthorizationServerUnavailable(`${what}: no answer, ${code}.`, code, {
    cause: Object.assign(new Error(message), { code }),
  });
}

function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/(?:[a-z0-9.-]+\+)?json *(;|$)/i.test(contentType);
}

function readObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
