import { openResourceServer } from "../../../src/resource-server/resource-server.ts";
import type { ResourceServerOptions } from "../../../src/resource-server/resource-server-options.ts";
import type { Warning } from "../../../src/resource-server/environment.ts";
import { createChain, createScriptedStream } from "./scripted-stream.ts";
import { boundFacts, certificate, createScriptedBackend, start } from "../../support/scripted-backend.ts";
import { createVirtualTime } from "./virtual-time.ts";

/** The backend's monotonic clock is far from the library's. */
const nodeBegin = 9_000_000;

/** A resource server over a scripted backend with a scripted stream, in a time of its own; every token has keys. */
export function createStreamed(options: Partial<ResourceServerOptions> = {}) {
  const backend = createScriptedBackend();
  const stream = createScriptedStream();
  const time = createVirtualTime(start);
  const warnings: Warning[] = [];
  const resourceServer = openResourceServer(
    {
      backend: Object.assign(backend, { authIntrospectionEvents: stream.open }),
      timeout: 2000,
      onWarning: (warning) => warnings.push(warning),
      ...options,
    },
    time.clocks,
  );
  const answer = backend.authIntrospectionStandard.bind(backend);
  backend.authIntrospectionStandard = async (request, more) => {
    const token = new URLSearchParams(request.parameters).get("token") ?? "";
    return { ...(await answer(request, more)), invalidationKeys: keysOf(token) };
  };
  for (const token of ["good", "second"]) backend.tokens.set(token, boundFacts());
  let chain = createChain();
  return {
    backend,
    stream,
    time,
    warnings,
    resourceServer,
    chain: () => chain,
    /** From now on the messages are of another epoch. */
    begin: (epoch: string): void => {
      chain = createChain(epoch);
    },
    nodeClock: () => nodeBegin + time.monotonic,
    /** A heartbeat of a poll that begins now. */
    beat: async (): Promise<void> => {
      stream.latest().push(chain.heartbeat(nodeBegin + time.monotonic));
      await time.settle();
    },
    /** Lets time pass, with a heartbeat each quarter of a second. */
    beatFor: async (milliseconds: number): Promise<void> => {
      for (let passed = 0; passed < milliseconds; passed += 250) {
        await time.pass(Math.min(250, milliseconds - passed));
        stream.latest().push(chain.heartbeat(nodeBegin + time.monotonic));
        await time.settle();
      }
    },
    revoke: async (token: string): Promise<void> => {
      backend.tokens.delete(token);
      stream.latest().push(chain.invalidation(`token:${token}`));
      await time.settle();
    },
    /** Asks for something, by which the stream is opened, and lets it begin. */
    open: async (): Promise<void> => {
      await resourceServer.authorize({ token: "opener", certificate }).catch(() => undefined);
      stream.latest().push(chain.reset(), chain.heartbeat(nodeBegin + time.monotonic));
      await time.settle();
      backend.asked.length = 0;
    },
    authorize: (token: string, more: Partial<Parameters<typeof resourceServer.authorize>[0]> = {}) =>
      resourceServer.authorize({ token, certificate, ...more }),
  };
}

export function keysOf(token: string): string[] {
  return [`token:${token}`, `grant:${token.slice(0, 1)}`, "client:1", "service:1"];
}
