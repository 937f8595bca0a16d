import { ApiError, serviceUnavailable } from "../contract/api-error.ts";
import { ChainVerificationFailure } from "./chain-verification/openssl-process.ts";
import { CallRefused } from "./engine/answer/result.ts";
import { DecisionContended } from "./engine/answer/run-decided.ts";
import { ServiceUnknown } from "./engine/engine.ts";
import { StreamUnavailable } from "./engine/invalidation/event-follower.ts";
import { RemoteJwksFailure } from "./remote-jwks/fetch-key-set.ts";
import { StoreFailure } from "./store/store.ts";

/** Errors worth retrying: the same call may succeed later. A call may name a service that a reload has just removed. */
const passing = [
  StoreFailure,
  ChainVerificationFailure,
  RemoteJwksFailure,
  DecisionContended,
  ServiceUnknown,
  StreamUnavailable,
];

/**
 * The `ApiError` for an error of an operation; the error itself is its `cause`.
 *
 * A mistake of the caller is reported as it is. A fault of the backend is 503 when the same call may succeed later,
 * else 500, with a fixed text, because its own message may quote input.
 *
 * @example apiErrorOf(new StoreFailure("disk full")).status // 503
 */
export function apiErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof CallRefused) {
    return new ApiError(error.status, error.resultCode, error.sentence, { cause: error });
  }
  return passing.some((kind) => error instanceof kind)
    ? serviceUnavailable("The request could not be processed now.", { cause: error })
    : new ApiError(500, "A001101", "The request could not be processed.", { cause: error });
}
