import { connections } from "./bench.ts";
import type { Contender } from "./measurement/compare.ts";
import { callOnce, requestText, type Call } from "./measurement/load.ts";
import { startServer, type Server } from "./measurement/server.ts";

/** The servers of one bench, all stopped together. */
export interface Stage {
  /** Adds a server after it has started. */
  add(starting: Promise<Server>): Promise<Server>;
  /** Starts bare node:http with the backend's response to the first of these calls. */
  addBareFor(backend: Server, calls: readonly Call[]): Promise<Server>;
  stop(): Promise<void>;
}

export function openStage(): Stage {
  const servers: Server[] = [];
  async function add(starting: Promise<Server>): Promise<Server> {
    const server = await starting;
    servers.push(server);
    return server;
  }
  return {
    add,
    async addBareFor(backend, [call]) {
      if (call === undefined) throw new Error("no calls to answer");
      return add(startServer("bare", { answer: await callOnce(backend.port, call) }));
    },
    async stop() {
      for (const server of servers) await server.stop();
    },
  };
}

/** A server under these calls, whose responses contain `expected`; its ratios are to the contender named `base`. */
export function contender(
  name: string,
  server: Server,
  calls: readonly Call[],
  expected: string,
  base: string,
): Contender {
  return { name, server, base, order: { port: server.port, requests: calls.map(requestText), expected, connections } };
}
