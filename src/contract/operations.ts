import type { z } from "zod";
import { authAuthorizationFail } from "./auth-authorization-fail.ts";
import { authAuthorizationIssue } from "./auth-authorization-issue.ts";
import { authAuthorizationTicketInfo } from "./auth-authorization-ticket-info.ts";
import { authAuthorizationTicketUpdate } from "./auth-authorization-ticket-update.ts";
import { authAuthorization } from "./auth-authorization.ts";
import { authIntrospectionEvents, type OpenInvalidationEvents } from "./auth-introspection-events.ts";
import { authIntrospectionStandard } from "./auth-introspection-standard.ts";
import { authIntrospection } from "./auth-introspection.ts";
import { authRevocation } from "./auth-revocation.ts";
import { authTokenCreate } from "./auth-token-create.ts";
import { authTokenDelete } from "./auth-token-delete.ts";
import { authTokenFail } from "./auth-token-fail.ts";
import { authTokenGetList } from "./auth-token-get-list.ts";
import { authTokenIssue } from "./auth-token-issue.ts";
import { authTokenRevoke } from "./auth-token-revoke.ts";
import { authTokenUpdate } from "./auth-token-update.ts";
import { authToken } from "./auth-token.ts";
import { authUserinfoIssue } from "./auth-userinfo-issue.ts";
import { authUserinfo } from "./auth-userinfo.ts";
import { info } from "./info.ts";
import { serviceConfiguration, serviceConfigurationPost } from "./service-configuration.ts";
import { serviceJwksGet } from "./service-jwks-get.ts";

/** Every operation of the API that answers once, by the name of its method. */
export const operations = {
  authAuthorization,
  authAuthorizationIssue,
  authAuthorizationFail,
  authAuthorizationTicketInfo,
  authAuthorizationTicketUpdate,
  authToken,
  authTokenIssue,
  authTokenFail,
  authTokenCreate,
  authTokenUpdate,
  authTokenDelete,
  authTokenRevoke,
  authTokenGetList,
  authIntrospection,
  authIntrospectionStandard,
  authRevocation,
  authUserinfo,
  authUserinfoIssue,
  serviceConfiguration,
  serviceConfigurationPost,
  serviceJwksGet,
  info,
};

/** The methods of {@link Operations} that answer once. */
export type OperationName = keyof typeof operations;

/** Every operation that answers with a stream of events, by the name of its method. */
export const streams = { authIntrospectionEvents };

/** Options of a single call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** The OAuth client's address, for the backend's log only. */
  readonly clientAddress?: string;
}

/**
 * The API as an interface: the engine implements it in the same process, the api-client implements it over HTTP.
 *
 * Each method rejects with `ApiError` when the caller, not the OAuth client, is wrong.
 */
export type Operations = {
  [Name in OperationName]: Call<(typeof operations)[Name]>;
} & Streams;

/**
 * What an operation is asked.
 *
 * @example const request: RequestOf<"authToken"> = { parameters, clientCertificate };
 */
export type RequestOf<Name extends OperationName> = Parameters<Operations[Name]>[0];

/**
 * What an operation answers.
 *
 * @example const statusOf = { OK: 200 } satisfies Partial<Record<ResponseOf<"authToken">["action"], number>>;
 */
export type ResponseOf<Name extends OperationName> = Awaited<ReturnType<Operations[Name]>>;

/** What each stream is opened with and what comes out of it. */
interface Streams extends Record<keyof typeof streams, unknown> {
  readonly authIntrospectionEvents: OpenInvalidationEvents;
}

type Call<O> = O extends { request: infer Request extends z.ZodType; response: infer Response extends z.ZodType }
  ? (request: z.input<Request>, options?: CallOptions) => Promise<z.infer<Response>>
  : never;
