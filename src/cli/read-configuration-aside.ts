import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { ConfigurationError, type Problem } from "../backend/configuration/configuration-error.ts";
import type { Configuration } from "../backend/configuration/configuration.ts";

/** What the thread is handed. */
export interface ConfigurationToRead {
  readonly path: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What it answers, once. */
export type ReadingOfConfiguration = Configuration | { readonly error: readonly Problem[] };

/** Taken from this file's own name: the compiler does not rewrite the ending inside a URL. */
const workerFile = new URL(`./configuration-worker${extname(import.meta.url)}`, import.meta.url);

/**
 * Reads and checks a configuration as `readConfiguration` does, on a thread of its own.
 *
 * The checks of a thousand clients take some hundred milliseconds, in which a backend that serves would answer nobody.
 * Rejects with {@link ConfigurationError}.
 *
 * @example await backend.reload(await readConfigurationAside({ path, env: process.env }));
 */
export async function readConfigurationAside({ path, env }: ConfigurationToRead): Promise<Configuration> {
  const workerData: ConfigurationToRead = { path, env: { ...env } };
  const worker = new Worker(workerFile, { workerData, env: {}, name: "certbound configuration reader" });
  const reading = await new Promise<ReadingOfConfiguration>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => {
      reject(new Error("the thread that reads the configuration has ended without an answer"));
    });
  });
  if ("error" in reading) throw new ConfigurationError(path, reading.error);
  return reading;
}
