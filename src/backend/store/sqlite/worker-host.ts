import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { UnexpectedOrigin } from "../store.ts";
import type { Job, JobResult } from "./batch.ts";
import type { ConnectionOptions } from "./connection.ts";
import { readFault, storeFailure, type Fault } from "./fault.ts";
import type { WriterEvents, WriterHost } from "./writer.ts";

/** The jobs of one turn, or the end. */
export type ToWorker = readonly Job[] | "close";

/**
 * `opened` or `refused` comes once; then answers, in the order of the jobs. `origin` comes before `opened`, or later
 * when the file is replaced while it is open.
 */
export type FromWorker =
  | "opened"
  | { readonly refused: Fault }
  | { readonly answered: readonly JobResult[] }
  | { readonly origin: UnexpectedOrigin };

/** Taken from this file's own name: the compiler does not rewrite the ending inside a URL. */
const workerFile = new URL(`./writer-worker${extname(import.meta.url)}`, import.meta.url);

/**
 * Starts the writer's thread and resolves when it has the file open, with the schema up to date.
 *
 * Rejects with `StoreFailure` when the file cannot be used.
 */
export async function openWorkerHost(
  options: ConnectionOptions,
  file = workerFile,
  report: (origin: UnexpectedOrigin) => void = () => undefined,
): Promise<(events: WriterEvents) => WriterHost> {
  const worker = new Worker(file, { workerData: options, env: {}, name: "certbound store writer" });
  const exited = new Promise<Fault>((resolve) => {
    let detail = "the writer's thread has stopped";
    worker.on("error", (error) => {
      detail = readFault(error).detail;
    });
    worker.once("exit", () => {
      resolve({ reason: "the writer's thread has stopped", detail });
    });
  });
  worker.on("message", (message: FromWorker) => {
    if (typeof message === "object" && "origin" in message) report(message.origin);
  });
  const first = await Promise.race([firstAnswer(worker), exited]);
  if (first !== "opened") {
    const fault = "refused" in first ? first.refused : "reason" in first ? first : undefined;
    if (fault === undefined) throw new Error("the writer's thread answered before it opened");
    await exited;
    throw storeFailure(`the store ${options.path} cannot be opened`, fault);
  }
  return (events) => {
    worker.on("message", (message: FromWorker) => {
      if (typeof message === "object" && "answered" in message) events.answered(message.answered);
    });
    worker.on("messageerror", () => void worker.terminate());
    void exited.then((fault) => {
      events.failed(fault);
    });
    return {
      post(jobs) {
        worker.postMessage(jobs.map(withOwnOctets));
      },
      async close() {
        worker.postMessage("close");
        await exited;
      },
    };
  };
}

/** The messages about its start; the store's origin is reported separately. */
function firstAnswer(worker: Worker): Promise<Exclude<FromWorker, { origin: unknown }>> {
  return new Promise((resolve) => {
    worker.on("message", (message: FromWorker) => {
      if (typeof message === "string" || !("origin" in message)) resolve(message);
    });
  });
}

/** A copy with its own memory: a pooled Buffer would send its whole pool to the thread. */
function withOwnOctets<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) {
    return value.byteLength === value.buffer.byteLength ? value : (new Uint8Array(value) as T & Uint8Array);
  }
  if (Array.isArray(value)) return value.map(withOwnOctets) as T & unknown[];
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(value)) copy[name] = withOwnOctets((value as Record<string, unknown>)[name]);
  return copy as T;
}
