import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import got, { RequestError, type Response as HttpResponse, type RetryObject } from "got";
import type { ResolvedConnection } from "./api-connection.ts";
import {
  BackendAnswerMalformed,
  BackendUnavailable,
  BackendUntrusted,
  isVerificationCode,
} from "./backend-unavailable.ts";

/** Connection settings and timeouts of an exchange; milliseconds, PEM. */
export interface ExchangeSettings {
  readonly tls?: { readonly ca?: string | string[]; readonly cert?: string; readonly key?: string } | undefined;
  readonly socketPath?: string | undefined;
  readonly attemptTimeout: number;
  readonly totalTimeout: number;
  readonly maxSockets: number;
}

/** One request. */
export interface ExchangeRequest {
  /** The name of the request in error messages. */
  readonly label: string;
  readonly url: string;
  readonly method: "GET" | "POST" | "DELETE";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Creates the body for each retry, if it must not be sent twice. */
  readonly anotherBody?: (() => Promise<string>) | undefined;
  /** Whether the request may be retried. */
  readonly idempotent: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The headers of an HTTP response, by lower-case name. */
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** A complete HTTP response, whatever its status. */
export interface ExchangeAnswer {
  readonly statusCode: number;
  readonly headers: AnswerHeaders;
  readonly body: string;
}

/** Sends requests to one server over its own keep-alive connections. */
export interface Exchange {
  /**
   * Rejects with {@link BackendUnavailable} (`BackendUntrusted` if the server's certificate is rejected, before sending),
   * {@link BackendAnswerMalformed} for more than 1 MiB, or the signal's reason.
   */
  send(request: ExchangeRequest): Promise<ExchangeAnswer>;
  /** Waits for running requests, then closes all connections. */
  close(): Promise<void>;
}

const retries = 2;
const maximumAnswer = 1_048_576;
const tooLarge = Symbol("too large");
/** Codes that mean "no response". A rejected certificate is not among them, because a retry would not help. */
const noResponse =
  "ETIMEDOUT ECONNRESET ECONNREFUSED ECONNABORTED EPIPE ENOENT ENOTFOUND ENETUNREACH EHOSTUNREACH EAI_AGAIN".split(" ");

/**
 * Opens an exchange.
 *
 * It retries an idempotent request up to twice, after no response or a status of 429, 502, 503 or 504, within the total
 * timeout. It follows no redirects, decompresses nothing, and always verifies certificates.
 *
 * @example const exchange = openExchange({ attemptTimeout: 1000, totalTimeout: 2000, maxSockets: 64 })
 */
export function openExchange(settings: ExchangeSettings): Exchange {
  const agents = openAgents(settings, { keepAlive: true, maxSockets: settings.maxSockets });
  const underWay = new Set<Promise<unknown>>();
  let closed = false;
  return {
    async send(request) {
      request.signal?.throwIfAborted();
      if (closed) throw new BackendUnavailable(`${request.label}: the client is closed.`, "ERR_CLOSED");
      const answer = send(request, settings, agents);
      underWay.add(answer);
      try {
        return await answer;
      } finally {
        underWay.delete(answer);
      }
    },
    async close() {
      closed = true;
      await Promise.allSettled(underWay);
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/** Sends a request and reads the complete response. Errors below HTTP become errors of this folder. */
async function send(
  { label, url, method, headers, body, anotherBody, idempotent, signal }: ExchangeRequest,
  { attemptTimeout, totalTimeout }: ExchangeSettings,
  agents: Agents,
): Promise<HttpResponse<string>> {
  const stop = new AbortController();
  const abort = () => {
    stop.abort();
  };
  const deadline = setTimeout(abort, totalTimeout);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const pending = got(url, {
      method,
      headers,
      ...(body !== undefined && { body }),
      responseType: "text",
      // A compressed response could expand beyond the limit.
      decompress: false,
      agent: agents,
      followRedirect: false,
      throwHttpErrors: false,
      signal: stop.signal,
      // A request without retries gets the total timeout: its response may be the only record of what was done.
      timeout: { request: idempotent ? attemptTimeout : totalTimeout },
      retry: {
        limit: idempotent ? retries : 0,
        methods: ["GET", "POST", "DELETE"],
        statusCodes: [429, 502, 503, 504],
        errorCodes: noResponse,
        maxRetryAfter: totalTimeout,
        calculateDelay: retryDelay,
      },
      hooks: {
        beforeRetry:
          anotherBody === undefined
            ? []
            : [
                async ({ options }) => {
                  options.body = await anotherBody();
                  delete options.headers["content-length"];
                },
              ],
      },
    });
    void pending.on("downloadProgress", ({ transferred }) => {
      if (transferred > maximumAnswer) stop.abort(tooLarge);
    });
    return await pending;
  } catch (error) {
    signal?.throwIfAborted();
    if (stop.signal.reason === tooLarge) throw new BackendAnswerMalformed(`${label}: the answer is too large.`);
    if (stop.signal.aborted) {
      throw new BackendUnavailable(`${label}: no answer within ${totalTimeout} ms.`, "ETIMEDOUT");
    }
    throw failure(label, error);
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener("abort", abort);
  }
}

/** 50 ms, then 100 ms, or what Retry-After says. No retry if a response began and broke off. */
function retryDelay({ attemptCount, error, computedValue, retryAfter }: RetryObject): number {
  const began = error.response !== undefined && noResponse.includes(error.code);
  if (computedValue === 0 || began) return 0;
  return Math.max(retryAfter ?? 0, 50 * 2 ** (attemptCount - 1));
}

function failure(label: string, error: unknown): BackendUnavailable {
  if (!(error instanceof RequestError)) {
    return new BackendUnavailable(`${label}: the request could not be made.`, "ERR_REQUEST");
  }
  return connectionFailure(label, error);
}

/**
 * Converts an error below HTTP. Errors of HTTP clients contain the request with its credentials and body, so only the
 * system's code and message are copied.
 *
 * `label` is the operation's method and path.
 */
export function connectionFailure(
  label: string,
  { code, message }: { readonly code: string; readonly message: string },
): BackendUnavailable {
  const cause = Object.assign(new Error(message), { code });
  const sentence = `${label}: ${code}.`;
  return isVerificationCode(code)
    ? new BackendUntrusted(sentence, code, { cause })
    : new BackendUnavailable(sentence, code, { cause });
}

/** The agents for connections to the backend. */
export interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

/** Opens agents for a connection. They verify the backend's certificate, whatever the environment says. */
export function openAgents(
  { socketPath, tls }: Partial<Pick<ResolvedConnection, "socketPath" | "tls">>,
  options: { readonly keepAlive: boolean; readonly maxSockets?: number },
): Agents {
  return {
    http: new HttpAgent({ ...options, ...(socketPath !== undefined && { socketPath }) }),
    // The agent's options also override NODE_TLS_REJECT_UNAUTHORIZED.
    https: new HttpsAgent({ ...options, ...tls, rejectUnauthorized: true, minVersion: "TLSv1.2" }),
  };
}
