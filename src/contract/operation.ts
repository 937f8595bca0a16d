import type { z } from "zod";

/**
 * One operation of the HTTP API.
 *
 * The schemas describe the wire only: no defaults, no transforms. Requests are strict about types and sizes, and unknown
 * members are ignored. `null` counts as absent, because public clients send it.
 */
export interface Operation<Request extends z.ZodType = z.ZodType, Response extends z.ZodType = z.ZodType> {
  /** The API's own name; generated clients use it for their methods. */
  readonly operationId: string;
  /** POST has the request in its body; GET and DELETE have it in path and query. */
  readonly method: "GET" | "POST" | "DELETE";
  /** Below `/api/{serviceId}` in the v3 shape and below `/api` in the v2 shape; `{name}` is a member of the request. */
  readonly path: `/${string}`;
  /** `service`: the caller authenticates as a service. `none`: anyone may call, and the path has no service id. */
  readonly caller: "service" | "none";
  readonly summary: string;
  readonly description: string;
  /** `z.undefined()` for an operation without a request. */
  readonly request: Request;
  /** `undefined` becomes 204 without a body. */
  readonly response: Response;
  /** The additional member `type` of v2 bodies. */
  readonly v2Type?: string;
  /** Whether repeating the call has the same effect. Only then may a client retry. */
  readonly idempotent: boolean;
  /** Unsupported members that would change the outcome. A request with a value is rejected, never processed without it. */
  readonly unsupported?: readonly string[];
  readonly example: { readonly request?: z.input<Request>; readonly response: z.input<Response> };
}

/** Infers the exact types of an operation. */
export function defineOperation<Request extends z.ZodType, Response extends z.ZodType>(
  operation: Operation<Request, Response>,
): Operation<Request, Response> {
  return operation;
}

/** The members of the request that are path segments, in order. */
export function pathMembers({ path }: Pick<Operation, "path">): readonly string[] {
  return [...path.matchAll(/\{([A-Za-z]+)\}/g)].map(([, name = ""]) => name);
}

/** Whether an operation may answer 204. */
export function mayAnswerNothing({ response }: Pick<Operation, "response">): boolean {
  return response.safeParse(undefined).success;
}

/**
 * The credentials of the API's caller: a service's key and secret (v2, Basic), or a service id from the path with a
 * service access token (v3, Bearer).
 */
export type ApiCallerCredentials =
  | { readonly scheme: "basic"; readonly apiKey: string; readonly apiSecret: string }
  | { readonly scheme: "bearer"; readonly serviceId: number; readonly accessToken: string };

/**
 * An operation that returns a stream of server-sent events.
 *
 * A message is sent as `event: <type>`, `id: <cursor>` and `data:` with its other members as JSON; the schemas describe
 * `data`. Readers ignore unknown types.
 */
export interface EventStream<Events extends Readonly<Record<string, z.ZodType>> = Readonly<Record<string, z.ZodType>>> {
  /** The API's own name. */
  readonly operationId: string;
  readonly method: "GET";
  /** Below `/api/{serviceId}` in the v3 shape and below `/api` in the v2 shape. */
  readonly path: `/${string}`;
  /** The caller authenticates as a service. */
  readonly caller: "service";
  readonly summary: string;
  readonly description: string;
  /** The schema of `data`, by event type. */
  readonly events: Events;
  /** An example of the stream, as text. */
  readonly example: string;
}
