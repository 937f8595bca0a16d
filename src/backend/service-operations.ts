import type { CallOptions, OperationName, Operations, RequestOf, ResponseOf } from "../contract/operations.ts";

/**
 * Facts that the backend learns while it decides a call, for the operator's log: who asked, for what, with what.
 *
 * No token, secret, certificate or user. Texts of a client are unchanged: see `call-record.ts`.
 */
export interface CallFacts {
  /** The service's number, as the API caller names it. */
  service?: number;
  /** The client's number; for an unknown client, the `client_id` of the request. */
  clientId?: string;
  /** The client's alias, where the request uses it. */
  clientIdAlias?: string;
  grantType?: string;
  /** The thumbprint (`x5t#S256`) of the certificate that was presented, or `unreadable`. */
  thumbprint?: string;
  /** The thumbprint of the certificate that the token is bound to. */
  boundTo?: string;
}

/** Takes facts in; a later one replaces an earlier one of its name. */
export type NoteFacts = (facts: CallFacts) => void;

/** Options of a call to the engine. */
export interface NotedCall extends CallOptions {
  readonly note?: NoteFacts;
}

/** The operations that act for one service. */
export type ServiceOperations = {
  [Name in Exclude<OperationName, "info">]: (request: RequestOf<Name>, call?: NotedCall) => Promise<ResponseOf<Name>>;
} & Pick<Operations, "authIntrospectionEvents">;
