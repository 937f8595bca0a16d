import type { ServerResponse } from "node:http";
import type { ServerOptions } from "node:https";
import type { IntrospectingEngine } from "./introspecting-engine.ts";
import { type SeenRequest, startScriptedServer } from "./scripted-server.ts";

/** A request as it arrived. */
interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Gate {
  /** Resolves when this many requests have reached the gate since it was closed. */
  arrived(count?: number): Promise<void>;
  open(): void;
}

type Answer = { readonly status?: number; readonly json: unknown } | undefined;

/** How a request is answered: JSON with a status, or `undefined` when the test answers the response itself. */
export type Respond = (request: RecordedRequest, response: ServerResponse) => Answer;

export interface IntrospectionBackend {
  readonly baseUrl: string;
  readonly port: number;
  readonly requests: RecordedRequest[];
  /** How often the stream of events was asked for; this backend has none. */
  readonly streams: () => number;
  /** Connections accepted so far. */
  readonly connections: () => number;
  /**
   * The RFC 7662 facts of each active token. Standard introspection answers with them as they are; `auth/introspection`
   * with what the engine decides over them.
   */
  readonly tokens: Map<string, Readonly<Record<string, unknown>>>;
  /** Answers every request from now on; `undefined`: `tokens` answer again. */
  respond: Respond | undefined;
  /** Holds answers back until it is opened; requests are recorded before they wait. */
  closeGate(): Gate;
  stop(): Promise<void>;
}

/**
 * A real HTTP(S) server for `auth/introspection` and `auth/introspection/standard`. It decides nothing itself.
 *
 * @example const backend = await startIntrospectionBackend(); backend.tokens.set("good", { active: true })
 */
export async function startIntrospectionBackend(
  options: { readonly tls?: ServerOptions; readonly listen?: string } = {},
): Promise<IntrospectionBackend> {
  const requests: RecordedRequest[] = [];
  const tokens: IntrospectionBackend["tokens"] = new Map();
  let streams = 0;
  let gate: { wait: Promise<void>; count: number; watchers: (() => void)[] } | undefined;
  let engine: Promise<IntrospectingEngine> | undefined;

  const otherwise = async (seen: SeenRequest, response: ServerResponse): Promise<Answer> => {
    if (seen.path.includes("/auth/introspection/events")) {
      streams += 1;
      return { status: 404, json: { resultCode: "A001302", resultMessage: "[A001302] There is no stream here." } };
    }
    const request = recorded(seen);
    requests.push(request);
    if (gate !== undefined) {
      gate.count += 1;
      for (const watcher of gate.watchers) watcher();
      await gate.wait;
    }
    if (backend.respond !== undefined) return backend.respond(request, response);
    const { path, body } = request;
    if (path.endsWith("/auth/introspection/standard")) {
      const token = new URLSearchParams(body["parameters"] as string).get("token") ?? "";
      const responseContent = JSON.stringify(tokens.get(token) ?? { active: false });
      return { json: { resultCode: "A145001", resultMessage: "[A145001] Done.", action: "OK", responseContent } };
    }
    // Most tests never ask this; they are spared loading an engine.
    engine ??= import("./introspecting-engine.ts").then(({ openIntrospectingEngine }) => openIntrospectingEngine());
    const json = await (await engine).introspect(tokens.get(body["token"] as string), body);
    return { json };
  };

  const server = await startScriptedServer(options.tls, { listen: options.listen, otherwise });
  const backend: IntrospectionBackend = {
    baseUrl: server.url,
    port: server.port,
    requests,
    connections: server.connections,
    streams: () => streams,
    tokens,
    respond: undefined,
    closeGate() {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const closed = { wait: promise, count: 0, watchers: [] as (() => void)[] };
      gate = closed;
      return {
        arrived: (count = 1) =>
          new Promise((reached) => {
            const look = (): void => {
              if (closed.count >= count) reached();
            };
            closed.watchers.push(look);
            look();
          }),
        open() {
          if (gate === closed) gate = undefined;
          resolve(undefined);
        },
      };
    },
    async stop() {
      await server.stop();
      await (await engine)?.close();
    },
  };
  return backend;
}

function recorded({ method, path, headers, body }: SeenRequest): RecordedRequest {
  return {
    method,
    path,
    authorization: headers.authorization,
    body: body === "" ? {} : (JSON.parse(body) as Record<string, unknown>),
  };
}
