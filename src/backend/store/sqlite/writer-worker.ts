import { resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import { createBatch, type Job } from "./batch.ts";
import { openWriterConnection, type ConnectionOptions } from "./connection.ts";
import { readFault } from "./fault.ts";
import { openStoreHistory, type StoreHistory } from "./store-history.ts";
import type { FromWorker, ToWorker } from "./worker-host.ts";

/** Jobs per commit: enough to share an fsync well, few enough that none waits long for the others. */
const jobsPerCommit = 512;

/** Milliseconds between two times that the mark beside the store is made to survive a loss of power. */
const syncInterval = 1_000;

/** The writer's thread: opens the connection, reports it, and then runs batch after batch until it is closed. */
function start(port: MessagePort, options: ConnectionOptions): void {
  let db: DatabaseSync | undefined;
  let history: StoreHistory;
  try {
    db = openWriterConnection(options);
    history = openStoreHistory(db, resolve(options.path), (origin) => {
      say(port, { origin });
    });
  } catch (error) {
    db?.close();
    say(port, { refused: readFault(error) });
    port.close();
    return;
  }
  const open = db;
  const batch = createBatch(open, history);
  const syncing = setInterval(() => {
    history.sync();
  }, syncInterval);
  port.on("message", (first: ToWorker) => {
    let message: ToWorker | undefined = first;
    while (message !== undefined && message !== "close") {
      const jobs: Job[] = [...message];
      // What queued while the last commit was on its way to the disk goes into this one.
      while ((message = receive(port)) !== undefined && message !== "close") {
        jobs.push(...message);
        if (jobs.length >= jobsPerCommit) break;
      }
      say(port, { answered: batch(jobs) });
      if (message !== "close") message = receive(port);
    }
    if (message === "close") {
      clearInterval(syncing);
      open.close();
      history.close();
      port.close();
    }
  });
  say(port, "opened");
}

function receive(port: MessagePort): ToWorker | undefined {
  return (receiveMessageOnPort(port) as { message: ToWorker } | undefined)?.message;
}

function say(port: MessagePort, message: FromWorker): void {
  port.postMessage(message);
}

if (parentPort !== null) start(parentPort, workerData as ConnectionOptions);
