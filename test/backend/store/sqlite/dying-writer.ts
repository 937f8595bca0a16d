// A writer's thread that stops at its first batch: before doing it, after doing it and before answering, or by a throw.
import { parentPort, workerData } from "node:worker_threads";
import { createBatch, type Job } from "../../../../src/backend/store/sqlite/batch.ts";
import { openWriterConnection, type ConnectionOptions } from "../../../../src/backend/store/sqlite/connection.ts";

const { dies, ...options } = workerData as ConnectionOptions & { dies: "before" | "after" | "throws" };
const batch = createBatch(openWriterConnection(options));

parentPort?.on("message", (jobs: readonly Job[]) => {
  if (dies === "throws") throw new Error("the thread dies");
  if (dies === "after") batch(jobs);
  process.exit(1);
});
parentPort?.postMessage("opened");
