import type { z } from "zod";
import { clientAddressHeader, readClientAddress } from "../contract/client-address.ts";
import type { Operation } from "../contract/operation.ts";
import { type ApiConnection, resolveConnection } from "./api-connection.ts";
import { openExchange } from "./exchange.ts";
import { type AnswerHeaders, readAnswer } from "./read-answer.ts";
import { targetOf } from "./target.ts";

/** Calls operations of one backend over its own kept-alive connections. */
export interface Caller {
  /**
   * Rejects with `ApiError` (an answer of 400 or above), `BackendUnavailable` or `BackendAnswerMalformed`; with the
   * signal's own reason when it was aborted.
   */
  readonly call: <Request extends z.ZodType, Response extends z.ZodType>(
    operation: Operation<Request, Response>,
    request: z.input<Request>,
    options?: {
      readonly signal?: AbortSignal;
      readonly clientAddress?: string;
      readonly onHeaders?: (headers: AnswerHeaders) => void;
    },
  ) => Promise<z.output<Response>>;
  /** Lets the calls under way end, then closes every connection. */
  close(): Promise<void>;
}

/**
 * Creates what calls operations of a backend: it takes an operation of the contract as an argument.
 *
 * Only an idempotent operation is asked again when no answer came; see `openExchange`. Throws a `TypeError` for wrong
 * options.
 *
 * @example const caller = createCaller({ baseUrl, serviceId, credentials: { apiSecret } })
 * const answer = await caller.call(authIntrospectionStandard, { parameters: "token=…" })
 */
export function createCaller(options: ApiConnection): Caller {
  const connection = resolveConnection(options);
  const exchange = openExchange(connection);
  return {
    async call(operation, request, { signal, clientAddress, onHeaders } = {}) {
      const namedAddress = readClientAddress(clientAddress);
      const { method, path, caller, idempotent } = operation;
      const body = method === "POST" && request !== undefined ? JSON.stringify(request) : undefined;
      const answer = await exchange.send({
        label: `${method} ${path}`,
        url: connection.url(body === undefined ? targetOf(operation, request) : path, caller),
        method,
        headers: {
          accept: "application/json",
          ...(caller === "service" && { authorization: connection.authorization }),
          ...(body !== undefined && { "content-type": "application/json" }),
          ...(namedAddress !== undefined && { [clientAddressHeader]: namedAddress }),
        },
        body,
        idempotent,
        signal,
      });
      onHeaders?.(answer.headers);
      return readAnswer(operation, answer);
    },
    close: () => exchange.close(),
  };
}
