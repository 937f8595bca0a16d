import type { CallOptions } from "../contract/operations.ts";
import { ApiError } from "../contract/api-error.ts";
import { readClientAddress } from "../contract/read-request.ts";
import { callRecord, type CallRecord } from "./call-record.ts";
import type { CallFacts, NotedCall } from "./service-operations.ts";

/** A call that a program made of the backend in its own process. */
export interface ObservedCall extends CallRecord {
  /** The method that was called: `authToken`. */
  readonly operation: string;
  /** Milliseconds. */
  readonly ms: number;
}

/**
 * Called after each call was decided; the call does not wait for it. If it throws or rejects, the answer stays the
 * same.
 */
export type OnCall = (call: ObservedCall) => unknown;

/** The call to watch. */
interface WatchedCall {
  readonly operation: string;
  readonly service: number;
  /** Whether its answer is a document, which is not logged. */
  readonly isDocument: boolean;
  readonly options: CallOptions | undefined;
}

/**
 * Makes a call and reports it, answered or refused; a fault without an answer of the API has the result code `A001101`.
 *
 * @example await observeCall(onCall, () => performance.now(), { operation, service, isDocument, options }, decide)
 */
export async function observeCall(
  onCall: OnCall,
  monotonicClock: () => number,
  { operation, service, isDocument, options }: WatchedCall,
  call: (noted: NotedCall) => Promise<unknown>,
): Promise<unknown> {
  const startedAt = monotonicClock();
  const facts: CallFacts = { service };
  const note = (found: CallFacts): void => void Object.assign(facts, found);
  const tell = (answer: unknown): void => {
    const record = callRecord(answer, facts, readClientAddress(options?.clientAddress));
    const ms = Math.round((monotonicClock() - startedAt) * 10) / 10;
    try {
      Promise.resolve(onCall({ operation, ...record, ms })).catch(() => undefined);
    } catch {
      // The program's own hook: its failure is not the call's.
    }
  };
  try {
    const answer = await call({ ...options, note });
    tell(isDocument ? undefined : answer);
    return answer;
  } catch (error) {
    tell(error instanceof ApiError ? error : { resultCode: "A001101" });
    throw error;
  }
}
