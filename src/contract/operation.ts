import type { z } from "zod";

/**
 * One operation of the HTTP API: where it is, what it takes and what it answers.
 *
 * The schemas describe the wire and nothing else: no defaults, no transforms. Requests are strict about types and
 * sizes and tolerant of members they do not know; `null` counts as absent, since public clients send it.
 */
export interface Operation<Request extends z.ZodType = z.ZodType, Response extends z.ZodType = z.ZodType> {
  /** The API's own name of it; generated clients name their methods after this. */
  readonly operationId: string;
  /** POST takes the request as its body; GET and DELETE have no body and take it from path and query. */
  readonly method: "GET" | "POST" | "DELETE";
  /** Below `/api/{serviceId}` in the v3 shape and below `/api` in the v2 shape; `{name}` is a member of the request. */
  readonly path: `/${string}`;
  /** `service`: the caller authenticates as a service. `none`: anyone may ask, and the path carries no service. */
  readonly caller: "service" | "none";
  readonly summary: string;
  readonly description: string;
  /** `undefined` for an operation that is asked nothing. */
  readonly request: Request;
  /** Where it may be `undefined`, that is answered 204 without a body. */
  readonly response: Response;
  /** The `type` member that v2 bodies carry beside the others. */
  readonly v2Type?: string;
  /** Whether asking twice is the same as asking once: only then may a client repeat a call that failed. */
  readonly idempotent: boolean;
  /** Members that would change the outcome and that are not implemented: with a value they are refused, never ignored. */
  readonly unsupported?: readonly string[];
  readonly example: { readonly request?: z.input<Request>; readonly response: z.input<Response> };
}

/** Gives an operation its exact types. */
export function defineOperation<Request extends z.ZodType, Response extends z.ZodType>(
  operation: Operation<Request, Response>,
): Operation<Request, Response> {
  return operation;
}

/** The members of the request that are segments of the path, in its order. */
export function pathMembers({ path }: Pick<Operation, "path">): readonly string[] {
  return [...path.matchAll(/\{([A-Za-z]+)\}/g)].map(([, name = ""]) => name);
}

/** Whether an operation may answer 204. */
export function mayAnswerNothing({ response }: Pick<Operation, "response">): boolean {
  return response.safeParse(undefined).success;
}

/**
 * Who calls the API, as the Authorization header and the path say: a service's key and secret (v2, Basic), or a
 * service id with a service access token (v3, Bearer).
 */
export type ApiCallerCredentials =
  | { readonly scheme: "basic"; readonly apiKey: string; readonly apiSecret: string }
  | { readonly scheme: "bearer"; readonly serviceId: number; readonly accessToken: string };

/**
 * An operation whose answer is a stream of server-sent events, in place of one JSON document.
 *
 * A message goes over the wire as `event: <type>`, `id: <cursor>` and `data:` with its other members in JSON; the
 * schemas are those of `data`. Readers ignore types that they do not know.
 */
export interface EventStream<Events extends Readonly<Record<string, z.ZodType>> = Readonly<Record<string, z.ZodType>>> {
  /** The API's own name of it. */
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
  /** What a client may see, line by line. */
  readonly example: string;
}
