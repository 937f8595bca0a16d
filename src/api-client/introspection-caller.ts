import { z } from "zod";
import type { OpenInvalidationEvents } from "../contract/auth-introspection-events.ts";
import { authIntrospectionStandard, standardIntrospectionResponse } from "../contract/auth-introspection-standard.ts";
import { authIntrospection, type IntrospectionResponse } from "../contract/auth-introspection.ts";
import type { ApiConnection } from "./api-connection.ts";
import { createCaller } from "./call.ts";
import { createEventStreams } from "./event-stream.ts";
import type { AnswerHeaders } from "./exchange.ts";

export type { AnswerHeaders } from "./exchange.ts";
export { ApiError } from "../contract/api-error.ts";
export type { IntrospectionResponse } from "../contract/auth-introspection.ts";
export { readInvalidationMessage } from "../contract/auth-introspection-events.ts";
export type {
  InvalidationEventsRequest,
  InvalidationMessage,
  OpenInvalidationEvents,
} from "../contract/auth-introspection-events.ts";

/** Options of one call; a backend in the same process ignores those about HTTP. */
export interface QuestionOptions {
  readonly signal?: AbortSignal;
  /** Called with the HTTP headers of the response, if there are any. */
  readonly onHeaders?: (headers: AnswerHeaders) => void;
}

/** The operations that a resource server calls. An API client and a backend in the same process have them, too. */
export interface IntrospectionOperations {
  authIntrospectionStandard(
    request: { readonly parameters: string },
    options?: QuestionOptions,
  ): Promise<StandardIntrospectionAnswer>;
  authIntrospection(request: IntrospectionQuestion, options?: QuestionOptions): Promise<IntrospectionResponse>;
  /** The stream of invalidation events, where the backend has one. */
  readonly authIntrospectionEvents?: OpenInvalidationEvents;
}

/** Token, certificate (PEM text) and requirement, as `auth/introspection` takes them. */
export interface IntrospectionQuestion {
  readonly token: string;
  readonly scopes?: string[];
  readonly subject?: string;
  readonly resources?: string[];
  readonly clientCertificate?: string;
}

/** `responseContent` is JSON text; a JSON object is accepted, too, because some documents show it that way. */
export interface StandardIntrospectionAnswer {
  readonly action: string;
  readonly resultCode?: string;
  readonly responseContent?: unknown;
  /** An invalidation event with one of these keys invalidates the answer. */
  readonly invalidationKeys?: readonly string[] | undefined;
  /** Remaining lifetime of the token in seconds, to the millisecond. */
  readonly expiresIn?: number | undefined;
}

const tolerant = {
  ...authIntrospectionStandard,
  response: standardIntrospectionResponse.extend({
    responseContent: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
  }),
};

/** What {@link createIntrospectionCaller} creates. */
export interface IntrospectionCaller extends IntrospectionOperations {
  readonly authIntrospectionEvents: OpenInvalidationEvents;
  /** Aborts streams, waits for running calls, then closes all connections. */
  close(): Promise<void>;
}

/**
 * Creates the two calls and the stream that a resource server needs, without loading other operations.
 *
 * @example const backend = createIntrospectionCaller({ baseUrl, serviceId, credentials: { apiSecret } })
 * await backend.authIntrospectionStandard({ parameters: "token=…" })
 */
export function createIntrospectionCaller(connection: ApiConnection): IntrospectionCaller {
  const caller = createCaller(connection);
  const streams = createEventStreams(connection);
  const { call } = caller;
  return {
    authIntrospectionStandard: (request, options) => call(tolerant, request, options),
    authIntrospection: (request, options) => call(authIntrospection, request, options),
    authIntrospectionEvents: streams.open,
    close() {
      streams.close();
      return caller.close();
    },
  };
}
