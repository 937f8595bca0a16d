/** Strangers that each request a token, wait for the refusal and retry, ten times a second at most. */
import { setTimeout as pause } from "node:timers/promises";
import { stopMessage } from "../measurement/pinned-process.ts";
import { shuffled, type ForgedPath } from "./forged-paths.ts";
import { tokenCall } from "./token-call.ts";

/** The argument of the strangers' process. */
export interface StrangersOrder {
  readonly port: number;
  readonly clientId: number;
  readonly paths: readonly ForgedPath[];
  readonly strangers: number;
}

/** The least milliseconds from one request of a stranger to the next. */
const interval = 100;

async function ask({ port, clientId, paths }: StrangersOrder): Promise<void> {
  for (;;) {
    const next = pause(interval);
    const path = paths[Math.floor(Math.random() * paths.length)];
    if (path === undefined) throw new Error("no paths to send");
    const { action } = await tokenCall(port, clientId, shuffled(path));
    if (action === "OK") throw new Error("a stranger got a token");
    await next;
  }
}

process.on("message", (message: StrangersOrder | typeof stopMessage) => {
  if (message === stopMessage) process.exit(0);
  for (let each = 0; each < message.strangers; each += 1) void ask(message);
  process.send?.("done");
});
process.on("disconnect", () => {
  process.exit(1);
});
process.send?.("ready");
