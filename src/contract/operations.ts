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

/** All operations with a single response, by method name. */
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

/** The methods of {@link Operations} with a single response. */
export type OperationName = keyof typeof operations;

/** All operations that return a stream of events, by method name. */
export const streams = { authIntrospectionEvents };

/** Options of a single call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** The OAuth client's address, for the backend's log only. */
  readonly clientAddress?: string;
}

/**
 * The API as an interface: the engine implements it in the same process, the API client over HTTP.
 *
 * Each method rejects with `ApiError` for an error of the API's caller, never of the OAuth client.
 */
export type Operations = {
  [Name in OperationName]: Call<(typeof operations)[Name]>;
} & Streams;

/**
 * The request of an operation.
 *
 * @example const request: RequestOf<"authToken"> = { parameters, clientCertificate };
 */
export type RequestOf<Name extends OperationName> = Parameters<Operations[Name]>[0];

/**
 * The response of an operation.
 *
 * @example const statusOf = { OK: 200 } satisfies Partial<Record<ResponseOf<"authToken">["action"], number>>;
 */
export type ResponseOf<Name extends OperationName> = Awaited<ReturnType<Operations[Name]>>;

/** The types of the streams. */
interface Streams extends Record<keyof typeof streams, unknown> {
  readonly authIntrospectionEvents: OpenInvalidationEvents;
}

type Call<O> = O extends { request: infer Request extends z.ZodType; response: infer Response extends z.ZodType }
  ? (request: z.input<Request>, options?: CallOptions) => Promise<z.infer<Response>>
  : never;
