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

/** Where an exchange's connections lead and how long it waits; times in milliseconds, PEM text. */
export interface ExchangeSettings {
  readonly tls?: { readonly ca?: string | string[]; readonly cert?: string; readonly key?: string } | undefined;
  readonly socketPath?: string | undefined;
  readonly attemptTimeout: number;
  readonly totalTimeout: number;
  readonly maxSockets: number;
}

/** One question. */
export interface ExchangeRequest {
  /** How errors call it. */
  readonly label: string;
  readonly url: string;
  readonly method: "GET" | "POST" | "DELETE";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** The body of another attempt, where it must not be the same again. */
  readonly anotherBody?: (() => Promise<string>) | undefined;
  /** Whether it may be asked again when no answer came. */
  readonly idempotent: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The headers of an HTTP answer, by their names in lower case. */
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** A complete HTTP answer, whatever its status. */
export interface ExchangeAnswer {
  readonly statusCode: number;
  readonly headers: AnswerHeaders;
  readonly body: string;
}

/** Speaks HTTP with one server, over its own kept-alive connections. */
export interface Exchange {
  /**
   * Rejects with {@link BackendUnavailable} (`BackendUntrusted` when the server's certificate is not accepted: nothing
   * was sent then), {@link BackendAnswerMalformed} for more than 1 MiB, or with the signal's reason.
   */
  send(request: ExchangeRequest): Promise<ExchangeAnswer>;
  /** Lets what is under way end, then closes every connection. */
  close(): Promise<void>;
}

const retries = 2;
const maximumAnswer = 1_048_576;
const tooLarge = Symbol("too large");
/** Codes that mean "no response"; a certificate that is not accepted is not among them: asking again is no use. */
const noResponse =
  "ETIMEDOUT ECONNRESET ECONNREFUSED ECONNABORTED EPIPE ENOENT ENOTFOUND ENETUNREACH EHOSTUNREACH EAI_AGAIN".split(" ");

/**
 * Opens the one thing here that speaks HTTP.
 *
 * What is idempotent is tried three times at most, and only when no response came or one with 429, 502, 503 or 504; all
 * within the total timeout. Redirects are not followed, nothing is decompressed, certificates are always verified.
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

/** One question and its answer, whole; all that can go wrong below HTTP becomes one of this folder's errors. */
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
      // What is not compressed cannot be larger than it looks.
      decompress: false,
      agent: agents,
      followRedirect: false,
      throwHttpErrors: false,
      signal: stop.signal,
      // What is not asked again has all the time there is: its answer may be the only trace of what was done.
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

/** 50 ms, then 100, or what Retry-After asks for; an answer that began and broke off is not asked for again. */
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
 * What an error below HTTP means. The errors of HTTP clients carry the request with its credentials and body: only the
 * system's code and words are taken over.
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

/** Where connections to the backend come from; the agent's own options win over a request's. */
export interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

/** Opens agents under the connection's rules; the backend's certificate is verified whatever the environment says. */
export function openAgents(
  { socketPath, tls }: Partial<Pick<ResolvedConnection, "socketPath" | "tls">>,
  options: { readonly keepAlive: boolean; readonly maxSockets?: number },
): Agents {
  return {
    http: new HttpAgent({ ...options, ...(socketPath !== undefined && { socketPath }) }),
    // The agent's own options win over NODE_TLS_REJECT_UNAUTHORIZED, too.
    https: new HttpsAgent({ ...options, ...tls, rejectUnauthorized: true, minVersion: "TLSv1.2" }),
  };
}
