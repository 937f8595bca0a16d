import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { StoreFailure } from "../store.ts";
import type { ConnectionOptions } from "./connection.ts";
import { readFault, storeFailure, type Fault } from "./fault.ts";
import type { TokenLists } from "./token-lists.ts";

/** A read that looks at many rows, as plain data: it crosses to the thread that does it. */
export type LongRead = {
  readonly [Name in keyof TokenLists]: { readonly name: Name; readonly query: Parameters<TokenLists[Name]> };
}[keyof TokenLists];

type Facts = ReturnType<TokenLists[keyof TokenLists]>;

/** The result of a long read. */
export type LongReadResult = { readonly facts: Facts } | { readonly fault: Fault };

/** Where long reads are done. */
export interface LongReads {
  /** Rejects with {@link StoreFailure}, also when too many wait. */
  readonly run: <Name extends keyof TokenLists>(
    name: Name,
    ...query: Parameters<TokenLists[Name]>
  ) => Promise<ReturnType<TokenLists[Name]>>;
  /** Reads that wait or are under way fail. */
  close(): Promise<void>;
}

/** Does a long read; never throws. */
export function doLongRead(lists: TokenLists, { name, query }: LongRead): LongReadResult {
  try {
    // The pair belongs together by its type; that is lost when the function is looked up by a union of names.
    const read = lists[name] as (...query: unknown[]) => Facts;
    return { facts: read(...query) };
  } catch (error) {
    return { fault: readFault(error) };
  }
}

const nothingRead = "nothing was read";

/** On the calling thread, for a database that no other connection can see. */
export function createInThreadReads(lists: TokenLists): LongReads {
  return {
    run(name, ...query) {
      return new Promise((resolve) => {
        resolve(factsOf(doLongRead(lists, { name, query } as LongRead)) as ReturnType<TokenLists[typeof name]>);
      });
    },
    close: () => Promise.resolve(),
  };
}

/** Waiting reads of a kind, at most: a list takes some hundredths of a second, most counts far less. */
const mostWaiting = { listAccessTokens: 64, countTokens: 256 } satisfies Record<keyof TokenLists, number>;

/** Taken from this file's own name: the compiler does not rewrite the ending inside a URL. */
const workerFile = new URL(`./reader-worker${extname(import.meta.url)}`, import.meta.url);

interface Waiting {
  readonly read: LongRead;
  readonly resolve: (result: LongReadResult) => void;
}

/**
 * Does long reads one by one on a separate thread, so that nothing else waits for them.
 *
 * The thread starts with the first read, and again with the next one after a failure. Counts go before lists, because a
 * revocation waits for its count.
 */
export function createLongReads(options: ConnectionOptions, file = workerFile): LongReads {
  const waiting: Waiting[] = [];
  let current: Waiting | undefined;
  let worker: Worker | undefined;

  function next(): void {
    if (current !== undefined) return;
    current = waiting.shift();
    if (current === undefined) return;
    worker ??= start();
    worker.ref();
    worker.postMessage(current.read);
  }

  function settle(result: LongReadResult): void {
    const settled = current;
    current = undefined;
    settled?.resolve(result);
    next();
  }

  function start(): Worker {
    const started = new Worker(file, { workerData: options, env: {}, name: "certbound store reader" });
    let detail = "the reader's thread has stopped";
    started.on("message", (result: LongReadResult) => {
      // Between two reads it keeps no process alive.
      started.unref();
      settle(result);
    });
    started.on("error", (error) => {
      detail = readFault(error).detail;
    });
    started.once("exit", () => {
      worker = undefined;
      settle({ fault: { reason: "the reader's thread has stopped", detail } });
    });
    return started;
  }

  return {
    async run(name, ...query) {
      if (waiting.filter(({ read }) => read.name === name).length >= mostWaiting[name]) {
        throw new StoreFailure(`${nothingRead}: too many lists or counts of tokens wait`);
      }
      const result = await new Promise<LongReadResult>((resolve) => {
        const one = { read: { name, query } as LongRead, resolve };
        const firstList = name === "countTokens" ? waiting.findIndex(({ read }) => read.name !== name) : -1;
        waiting.splice(firstList === -1 ? waiting.length : firstList, 0, one);
        next();
      });
      return factsOf(result) as ReturnType<TokenLists[typeof name]>;
    },
    async close() {
      for (const { resolve } of waiting.splice(0)) {
        resolve({ fault: { reason: "the store is closed", detail: "the store is closed" } });
      }
      await worker?.terminate();
    },
  };
}

function factsOf(result: LongReadResult): Facts {
  if ("fault" in result) throw storeFailure(nothingRead, result.fault);
  return result.facts;
}
