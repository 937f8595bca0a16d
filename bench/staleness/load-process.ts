/** The load: sends every token that it gets to every API, again and again, until the API rejects it. */
import { Agent, request } from "node:https";
import { argumentOf, stopMessage } from "../measurement/pinned-process.ts";
import type { LoadArgument, LoadReport } from "./orders.ts";

const { ports, client } = argumentOf(process.argv) as LoadArgument;
const agent = new Agent({
  keepAlive: true,
  maxSockets: 32,
  cert: client.pem,
  key: client.key,
  // The API's certificate is the bench's own and is not part of the measurement.
  rejectUnauthorized: false,
});
let requests = 0;
let unavailable = 0;

function ask(port: number, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asking = request({ port, agent, headers: { authorization: `Bearer ${token}` } }, (answer) => {
      answer.resume();
      answer.on("end", () => {
        resolve(answer.statusCode ?? 0);
      });
    });
    asking.on("error", reject);
    asking.end();
  });
}

/** Sends a token to an API: waits until the API accepts it, and later until the API rejects it. */
async function keepAsking(port: number, token: string, accepted: () => void): Promise<void> {
  for (let opened = false; ;) {
    const status = await ask(port, token);
    requests += 1;
    if (status === 503) unavailable += 1;
    if (status === 200 && !opened) {
      opened = true;
      accepted();
    }
    if (status === 401) return;
  }
}

function report(token: string, now: LoadReport["now"]): void {
  process.send?.({ token, now } satisfies LoadReport);
}

process.on("message", (message) => {
  if (message === stopMessage) process.exit(0);
  if (message === "counts") {
    process.send?.({ requests, unavailable });
    return;
  }
  const token = String(message);
  let opened = 0;
  const accepted = (): void => {
    if (++opened === ports.length) report(token, "accepted");
  };
  void Promise.all(ports.map((port) => keepAsking(port, token, accepted))).then(() => {
    report(token, "refused");
  });
});
process.on("disconnect", () => process.exit(1));
process.send?.("ready");
