import type { CallOptions, OperationName, Operations, RequestOf, ResponseOf } from "../contract/operations.ts";

/**
 * What the backend learns of a call while it decides, for the operator's log: who asked, for what, with what.
 *
 * No token, no secret, no certificate, no user. The texts of a client are as it sent them: see `call-record.ts`.
 */
export interface CallFacts {
  /** The service's number, as the API caller names it. */
  service?: number;
  /** The client's number; of one that is not known, what the request calls it. */
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

/** What a call of the engine may be given. */
export interface NotedCall extends CallOptions {
  readonly note?: NoteFacts;
}

/** The operations that act for one service. */
export type ServiceOperations = {
  [Name in Exclude<OperationName, "info">]: (request: RequestOf<Name>, call?: NotedCall) => Promise<ResponseOf<Name>>;
} & Pick<Operations, "authIntrospectionEvents">;
