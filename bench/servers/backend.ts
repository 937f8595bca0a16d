/** The whole backend over a store in a file. It logs every request to standard output, which is discarded. */
import type { Worker } from "node:worker_threads";
import { createLog } from "../../src/backend/http/create-log.ts";
import { serveBackend } from "../../src/backend/serve-backend.ts";
import { configurationOf, type Deployment } from "../deployment.ts";
import { serve } from "./serve.ts";

interface Argument extends Deployment {
  readonly level?: "info" | "silent";
}

let commits = 0;
let jobs = 0;
// The writer's thread replies once per commit, with a result for each job in it.
process.on("worker", (worker: Worker) => {
  worker.on("message", (message: unknown) => {
    if (typeof message !== "object" || message === null || !("answered" in message)) return;
    commits += 1;
    jobs += (message.answered as unknown[]).length;
  });
});

await serve(async ({ level = "info", ...deployment }: Argument) => {
  const log = createLog({ level, stream: process.stdout });
  const { address } = await serveBackend({ configuration: configurationOf(deployment), log });
  const { port } = address;
  if (port === undefined) throw new Error("the backend listens on no port");
  return { port, counts: () => ({ commits, jobs }) };
});
