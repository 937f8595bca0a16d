import { parentPort } from "node:worker_threads";

/** A reader's thread that ends with its first read. */
parentPort?.on("message", () => {
  process.exit(1);
});
