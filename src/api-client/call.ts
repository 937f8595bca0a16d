import type { z } from "zod";
import { ApiError } from "../contract/api-error.ts";
import { type Operation, pathMembers } from "../contract/operation.ts";
import { clientAddressHeader, readClientAddress } from "../contract/read-request.ts";
import { type ApiConnection, resolveConnection } from "./api-connection.ts";
import { type AnswerHeaders, openExchange } from "./exchange.ts";
import { readAnswer } from "./read-answer.ts";

/** Calls operations of one backend over its own kept-alive connections. */
export interface Caller {
  /**
   * Rejects with `ApiError` (a status of 400 or above), `BackendUnavailable`, `BackendAnswerMalformed`, or the reason of
   * the aborted signal.
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
  /** Waits for running calls, then closes all connections. */
  close(): Promise<void>;
}

/**
 * Creates a caller, which takes an operation of the contract as an argument.
 *
 * It retries idempotent operations only; see `openExchange`. Throws a `TypeError` for wrong options.
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

/**
 * Returns path and query for a request without a body: its members become path segments or query parameters.
 *
 * Members without a value are left out; a list becomes a repeated parameter. Throws {@link ApiError} 400 `A126202`, before
 * sending, for a value that a URL cannot carry; the message does not quote it.
 *
 * @example targetOf(authTokenGetList, { subject: "user-1", end: 20 }) // "/auth/token/get/list?subject=user-1&end=20"
 */
export function targetOf(operation: Pick<Operation, "path">, request: unknown): string {
  const members = Object.entries((request ?? {}) as Record<string, unknown>);
  const inPath = pathMembers(operation);
  let { path }: { path: string } = operation;
  for (const name of inPath) {
    const value = members.find(([member]) => member === name)?.[1];
    // "", "." and ".." would be resolved, and the request would go to another path.
    if (!isWritable(value) || /^\.{0,2}$/.test(String(value))) {
      throw new ApiError(400, "A126202", `${operation.path}, the request does not have the right shape: ${name}.`);
    }
    path = path.replace(`{${name}}`, () => encodeURIComponent(value));
  }
  const query = new URLSearchParams();
  for (const [name, value] of members) {
    if (inPath.includes(name) || value === undefined || value === null) continue;
    for (const each of Array.isArray(value) ? (value as unknown[]) : [value])
      query.append(name, written(operation, name, each));
  }
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}

function written({ path }: Pick<Operation, "path">, name: string, value: unknown): string {
  if (isWritable(value)) return String(value);
  throw new ApiError(400, "A126202", `${path}, the request does not have the right shape: ${name}.`);
}

/** A string that is not well-formed Unicode cannot be percent-encoded. */
function isWritable(value: unknown): value is string | number | boolean {
  if (typeof value === "string") return value.isWellFormed();
  return typeof value === "number" || typeof value === "boolean";
}
