import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Job, JobResult } from "./batch.ts";
import type { ConnectionOptions } from "./connection.ts";
import { readFault, storeFailure, type Fault } from "./fault.ts";
import type { WriterEvents, WriterHost } from "./writer.ts";

/** The jobs of one turn, or the end. */
export type ToWorker = readonly Job[] | "close";

/** `opened` or `refused` comes first and once; then answers, in the order of the jobs. */
export type FromWorker = "opened" | { readonly refused: Fault } | { readonly answered: readonly JobResult[] };

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
  const first = await Promise.race([new Promise<FromWorker>((resolve) => worker.once("message", resolve)), exited]);
  if (first !== "opened") {
    const fault = "refused" in first ? first.refused : "reason" in first ? first : undefined;
    if (fault === undefined) throw new Error("the writer's thread answered before it opened");
    await exited;
    throw storeFailure(`the store ${options.path} cannot be opened`, fault);
  }
  return (events) => {
    worker.on("message", (message: Extract<FromWorker, { answered: unknown }>) => {
      events.answered(message.answered);
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

/** A copy whose octets stand alone: a pooled Buffer would take its whole pool, and whatever is in it, to the thread. */
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
