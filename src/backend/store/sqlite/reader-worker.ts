import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { openReaderConnection, type ConnectionOptions } from "./connection.ts";
import { doLongRead, type LongRead } from "./long-reads.ts";
import { createTokenLists } from "./token-lists.ts";

/** The thread of long reads: one at a time, over a separate connection, until it is terminated. */
function start(port: MessagePort, options: ConnectionOptions): void {
  const lists = createTokenLists(openReaderConnection(options));
  port.on("message", (read: LongRead) => {
    port.postMessage(doLongRead(lists, read));
  });
}

if (parentPort !== null) start(parentPort, workerData as ConnectionOptions);
