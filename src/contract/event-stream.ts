import type { z } from "zod";

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
