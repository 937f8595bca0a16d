import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { ConfigurationError } from "../backend/configuration/configuration-error.ts";
import { readConfiguration } from "../backend/configuration/read-configuration.ts";
import type { ConfigurationToRead, ReadingOfConfiguration } from "./serve.ts";

/** The thread that reads a configuration. It sends one message and ends. */
async function start(port: MessagePort, place: ConfigurationToRead): Promise<void> {
  port.postMessage(await read(place));
}

async function read(place: ConfigurationToRead): Promise<ReadingOfConfiguration> {
  try {
    return await readConfiguration(place);
  } catch (error) {
    if (error instanceof ConfigurationError) return { error: error.problems };
    throw error;
  }
}

if (parentPort !== null) await start(parentPort, workerData as ConfigurationToRead);
