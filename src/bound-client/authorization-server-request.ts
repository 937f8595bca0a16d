import type { Agent } from "node:https";
import got, { RequestError } from "got";
import { isJsonObject, type JsonObject } from "../oauth/json-object.ts";
import { AuthorizationServerMalformed, AuthorizationServerUnavailable } from "./token-errors.ts";

/** One request to the authorization server; `what` names it in error messages. */
export interface AuthorizationServerRequest {
  readonly what: string;
  readonly url: string;
  /** Sent with POST; without a form the request is a GET. */
  readonly form?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How the request is sent. */
export interface RequestConditions {
  readonly agent: Agent;
  /** Milliseconds until the complete response must have arrived. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** `json`: the body if it is a JSON object. */
export interface AuthorizationServerResponse {
  readonly status: number;
  readonly json: JsonObject | undefined;
}

const maximumAnswer = 1_048_576;
const tooLarge = Symbol("too large");

/**
 * Sends one request to the authorization server. It follows no redirect and never retries.
 *
 * Rejects with {@link AuthorizationServerUnavailable} (no response, 429, 5xx) or {@link AuthorizationServerMalformed}
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
      // A compressed response could expand beyond the limit.
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
      throw new AuthorizationServerUnavailable(`${what}: the response has status ${status}.`, `HTTP_${status}`);
    }
    return { status, json: isJson(fields["content-type"]) ? readObject(body) : undefined };
  } catch (error) {
    if (stop.signal.aborted) throw new AuthorizationServerMalformed(`${what}: the response is too large.`);
    throw error instanceof AuthorizationServerUnavailable ? error : failure(what, error);
  }
}

/** got's errors contain the request with its credentials and body, so only the system's code and message are copied. */
function failure(what: string, error: unknown): AuthorizationServerUnavailable {
  const { code, message } =
    error instanceof RequestError ? error : { code: "ERR_REQUEST", message: "The request could not be made." };
  return new AuthorizationServerUnavailable(`${what}: no response, ${code}.`, code, {
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
