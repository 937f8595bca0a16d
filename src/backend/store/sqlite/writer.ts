import { StoreFailure } from "../store.ts";
import type { Batch, Job, JobResult } from "./batch.ts";
import { storeFailure, type Fault } from "./fault.ts";

/** Where batches run. A host answers every job it was handed, in order, or fails once for all it still owes. */
export interface WriterHost {
  /** Takes the jobs of one turn. */
  post(jobs: readonly Job[]): void;
  /** Resolves when the posted jobs are done and the connection is closed. */
  close(): Promise<void>;
}

/** Receives a host's reports. */
export interface WriterEvents {
  answered(results: readonly JobResult[]): void;
  /** The host is gone; whether the jobs it still owed were kept is not known. */
  failed(fault: Fault): void;
}

/** The writer as the store uses it. */
export interface Writer {
  /** Resolves after the job is durable; rejects with {@link StoreFailure}. */
  run(job: Job): Promise<Exclude<JobResult, Fault>>;
  /** Whether the host is gone, so that every later job fails, too. */
  isGone(): boolean;
  /** Does the accepted jobs, then closes; later jobs fail. */
  close(): Promise<void>;
}

/** True of every failure, also of one with an unknown outcome: the same command may be run again. */
export const notAcknowledged = "the write was not acknowledged";

interface Pending {
  resolve(result: Exclude<JobResult, Fault>): void;
  reject(error: StoreFailure): void;
}

/** Collects the jobs of one turn of the event loop and hands them to the host together. */
export function createWriter(openHost: (events: WriterEvents) => WriterHost): Writer {
  /** Posted jobs, and those about to be, in order: the host answers in that order. */
  let owed: Pending[] = [];
  let turn: Job[] = [];
  let gone: Fault | undefined;
  let closing: Promise<void> | undefined;

  const host = openHost({
    answered(results) {
      const answered = owed.slice(0, results.length);
      owed = owed.slice(results.length);
      for (const [index, pending] of answered.entries()) settle(pending, results[index]);
    },
    failed(fault) {
      gone ??= fault;
      const failed = owed;
      owed = [];
      turn = [];
      for (const pending of failed) pending.reject(storeFailure(notAcknowledged, gone));
    },
  });

  function flush(): void {
    const jobs = turn;
    turn = [];
    if (jobs.length > 0) host.post(jobs);
  }

  return {
    run(job) {
      if (closing !== undefined) return Promise.reject(new StoreFailure(`${notAcknowledged}: the store is closed`));
      if (gone !== undefined) return Promise.reject(storeFailure(notAcknowledged, gone));
      if (turn.length === 0) setImmediate(flush);
      turn.push(job);
      return new Promise((resolve, reject) => {
        owed.push({ resolve, reject });
      });
    },
    isGone: () => gone !== undefined,
    close() {
      if (closing === undefined) {
        flush();
        closing = host.close();
      }
      return closing;
    },
  };
}

function settle(pending: Pending, result: JobResult | undefined): void {
  if (result === undefined) throw new Error("the writer answered a job that it was not handed");
  if (typeof result === "object") pending.reject(storeFailure(notAcknowledged, result));
  else pending.resolve(result);
}

/** A host on the serving thread, for a database that has no disk to wait for. */
export function createInThreadHost(batch: Batch, close: () => void): (events: WriterEvents) => WriterHost {
  return (events) => ({
    post(jobs) {
      events.answered(batch(jobs));
    },
    close() {
      close();
      return Promise.resolve();
    },
  });
}
