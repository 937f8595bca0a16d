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

/** Options of one question; a backend in the same process ignores those of HTTP. */
export interface QuestionOptions {
  readonly signal?: AbortSignal;
  /** Called with the HTTP headers of the answer, if there are any. */
  readonly onHeaders?: (headers: AnswerHeaders) => void;
}

/** What a resource server asks of a backend; an api client and a backend in the same process have these methods too. */
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

/** `responseContent` is JSON text; documents also print it as the object itself, which is understood as well. */
export interface StandardIntrospectionAnswer {
  readonly action: string;
  readonly resultCode?: string;
  readonly responseContent?: unknown;
  /** What the answer rests on; an invalidation event that names one of them makes it void. */
  readonly invalidationKeys?: readonly string[] | undefined;
  /** Seconds that the token has left, to the millisecond. */
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
  /** Breaks streams off, lets calls under way end, then closes every connection. */
  close(): Promise<void>;
}

/**
 * Creates the two calls and the stream that a resource server needs, and loads no other operation.
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
