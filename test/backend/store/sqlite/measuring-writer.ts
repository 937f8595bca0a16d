// A writer's thread that answers how many octets came along with each command's attempt.
import { parentPort } from "node:worker_threads";
import type { Command } from "../../../../src/backend/store/command.ts";

const port = parentPort;
port?.on("message", (message: readonly Command[] | "close") => {
  if (message === "close") port.close();
  else port.postMessage({ answered: message.map(({ attempt }) => attempt.buffer.byteLength) });
});
port?.postMessage("opened");
