import got, { RequestError, type Response as HttpResponse, type RetryObject } from "got";
import type { z } from "zod";
import type { Operation } from "../contract/operation.ts";
import { type Agents, openAgents } from "./agents.ts";
import { type ApiConnection, resolveConnection, type ResolvedConnection } from "./api-connection.ts";
import { BackendAnswerMalformed } from "./backend-answer-malformed.ts";
import { BackendUnavailable } from "./backend-unavailable.ts";
import { connectionFailure } from "./connection-failure.ts";
import { readAnswer } from "./read-answer.ts";

/** Calls operations of one backend over its own kept-alive connections. */
export interface Caller {
  /**
   * Rejects with `ApiError` (an answer of 400 or above), {@link BackendUnavailable} or {@link BackendAnswerMalformed};
   * with the signal's own reason when it was aborted.
   */
  readonly call: <Request extends z.ZodType, Response extends z.ZodType>(
    operation: Operation<Request, Response>,
    request: z.input<Request>,
    options?: { readonly signal?: AbortSignal },
  ) => Promise<z.output<Response>>;
  /** Lets the calls under way end, then closes every connection. */
  close(): Promise<void>;
}

const retries = 2;
const maximumAnswer = 1_048_576;
const tooLarge = Symbol("too large");
/** Codes that mean "no response"; a certificate that is not accepted is not among them: asking again is no use. */
const noResponse =
  "ETIMEDOUT ECONNRESET ECONNREFUSED ECONNABORTED EPIPE ENOENT ENOTFOUND ENETUNREACH EHOSTUNREACH EAI_AGAIN".split(" ");

/**
 * Creates the one thing here that speaks HTTP: it takes an operation of the contract as an argument.
 *
 * An idempotent operation is tried three times at most, and only when no response came or one with 429, 502, 503 or
 * 504; all within the total timeout. Redirects are not followed. Throws a `TypeError` for wrong options.
 *
 * @example const caller = createCaller({ baseUrl, serviceId, credentials: { apiSecret } })
 * const answer = await caller.call(authIntrospectionStandard, { parameters: "token=…" })
 */
export function createCaller(options: ApiConnection): Caller {
  const connection = resolveConnection(options);
  const agents = openAgents(connection, { keepAlive: true, maxSockets: connection.maxSockets });
  const underWay = new Set<Promise<unknown>>();
  let closed = false;

  const call: Caller["call"] = async (operation, request, { signal } = {}) => {
    signal?.throwIfAborted();
    if (closed) throw new BackendUnavailable(`${label(operation)}: the client is closed.`, "ERR_CLOSED");
    const exchange = send(operation, request, signal, connection, agents);
    underWay.add(exchange);
    try {
      return readAnswer(operation, await exchange);
    } finally {
      underWay.delete(exchange);
    }
  };

  return {
    call,
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
  operation: Operation,
  request: unknown,
  signal: AbortSignal | undefined,
  connection: ResolvedConnection,
  agents: Agents,
): Promise<HttpResponse<string>> {
  const stop = new AbortController();
  const abort = () => {
    stop.abort();
  };
  const deadline = setTimeout(abort, connection.totalTimeout);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const pending = got(connection.url(operation.path, operation.caller), {
      method: operation.method,
      headers: {
        accept: "application/json",
        ...(operation.caller === "service" && { authorization: connection.authorization }),
      },
      ...(request !== undefined && { json: request }),
      responseType: "text",
      // What is not compressed cannot be larger than it looks.
      decompress: false,
      agent: agents,
      followRedirect: false,
      throwHttpErrors: false,
      signal: stop.signal,
      // What is not asked again has all the time there is: its answer may be the only trace of what was done.
      timeout: { request: operation.idempotent ? connection.attemptTimeout : connection.totalTimeout },
      retry: {
        limit: operation.idempotent ? retries : 0,
        methods: ["GET", "POST"],
        statusCodes: [429, 502, 503, 504],
        errorCodes: noResponse,
        maxRetryAfter: connection.totalTimeout,
        calculateDelay: retryDelay,
      },
    });
    void pending.on("downloadProgress", ({ transferred }) => {
      if (transferred > maximumAnswer) stop.abort(tooLarge);
    });
    return await pending;
  } catch (error) {
    signal?.throwIfAborted();
    if (stop.signal.reason === tooLarge)
      throw new BackendAnswerMalformed(`${label(operation)}: the answer is too large.`);
    if (stop.signal.aborted) {
      const sentence = `${label(operation)}: no answer within ${connection.totalTimeout} ms.`;
      throw new BackendUnavailable(sentence, "ETIMEDOUT");
    }
    throw failure(operation, error);
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

function failure(operation: Operation, error: unknown): BackendUnavailable {
  if (!(error instanceof RequestError)) {
    return new BackendUnavailable(`${label(operation)}: the request could not be made.`, "ERR_REQUEST");
  }
  return connectionFailure(label(operation), error);
}

function label({ method, path }: Operation): string {
  return `${method} ${path}`;
}
