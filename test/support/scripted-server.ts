import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";

interface SeenRequest {
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

type Handler = (request: SeenRequest, response: ServerResponse) => ScriptedAnswer | undefined;

export interface ScriptedServer {
  readonly url: string;
  readonly port: number;
  readonly requests: SeenRequest[];
  /** What answers a path; anything else gets 404. `undefined` from a handler: it has answered, or never will. */
  readonly routes: Map<string, Handler>;
  stop(): Promise<void>;
}

/**
 * A real HTTP(S) server on a free port whose answers a test writes.
 *
 * @example const server = await startScriptedServer(); server.routes.set("/introspect", () => ({ json: { active: false } }))
 */
export async function startScriptedServer(tls?: ServerOptions): Promise<ScriptedServer> {
  const requests: SeenRequest[] = [];
  const routes: ScriptedServer["routes"] = new Map();
  const sockets = new Set<Socket>();
  const listener = (message: IncomingMessage, response: ServerResponse): void => {
    answer(message, response).catch(() => response.destroy());
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  async function answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await see(message);
    requests.push(request);
    const handler: Handler = routes.get(request.path) ?? (() => ({ status: 404 }));
    const given = handler(request, response);
    if (given === undefined) return;
    const { status = 200, json } = given;
    const headers = json === undefined ? given.headers : { "content-type": "application/json", ...given.headers };
    response.writeHead(status, headers).end(json === undefined ? given.body : JSON.stringify(json));
  }

  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    port,
    requests,
    routes,
    async stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
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
