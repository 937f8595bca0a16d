import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body as a form. */
  readonly form: URLSearchParams;
  /** The DER of the certificate that the client presented. */
  readonly certificate: Buffer | undefined;
}

export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Instead of `body`, as application/json. */
  readonly json?: unknown;
}

type Answered = ScriptedAnswer | undefined;
type Handler = (request: SeenRequest, response: ServerResponse) => Answered | Promise<Answered>;

export interface ScriptedServer {
  readonly url: string;
  readonly port: number;
  readonly requests: SeenRequest[];
  /** What answers a path. `undefined` from a handler: it has answered, or never will. */
  readonly routes: Map<string, Handler>;
  /** Connections accepted so far. */
  readonly connections: () => number;
  stop(): Promise<void>;
}

export interface ScriptedServerOptions {
  /** The path of a socket to listen on; a free port of the loopback when left out. */
  readonly listen?: string | undefined;
  /** What answers a path that has no route: 404 when left out. */
  readonly otherwise?: Handler;
}

/**
 * A real HTTP(S) server whose answers a test writes.
 *
 * @example const server = await startScriptedServer(); server.routes.set("/introspect", () => ({ json: { active: false } }))
 */
export async function startScriptedServer(
  tls?: ServerOptions,
  { listen, otherwise = () => ({ status: 404 }) }: ScriptedServerOptions = {},
): Promise<ScriptedServer> {
  const requests: SeenRequest[] = [];
  const routes: ScriptedServer["routes"] = new Map();
  const sockets = new Set<Socket>();
  let accepted = 0;
  const listener = (message: IncomingMessage, response: ServerResponse): void => {
    answer(message, response).catch(() => response.destroy());
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.on("connection", (socket: Socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  if (listen === undefined) server.listen(0, "127.0.0.1");
  else server.listen(listen);
  await once(server, "listening");
  const port = listen === undefined ? (server.address() as AddressInfo).port : 0;

  async function answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await see(message);
    requests.push(request);
    const given = await (routes.get(request.path) ?? otherwise)(request, response);
    if (given === undefined) return;
    const { status = 200, json } = given;
    const headers = json === undefined ? given.headers : { "content-type": "application/json", ...given.headers };
    response.writeHead(status, headers).end(json === undefined ? given.body : JSON.stringify(json));
  }

  return {
    url: listen === undefined ? `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}` : `unix:${listen}`,
    port,
    requests,
    routes,
    connections: () => accepted,
    stop() {
      for (const socket of sockets) socket.destroy();
      // Stopped a second time it has closed already.
      return new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}

async function see(message: IncomingMessage): Promise<SeenRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  const { method = "", url = "", headers, socket } = message;
  const peer = "getPeerX509Certificate" in socket ? (socket as TLSSocket).getPeerX509Certificate() : undefined;
  return { method, path: url, headers, body, form: new URLSearchParams(body), certificate: peer?.raw };
}
