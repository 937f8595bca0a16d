import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer, request as httpsRequest, type ServerOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { Transform, Writable } from "node:stream";

/** What becomes of an exchange on its way; a request always reaches the server but for `refuse` and `swallow`. */
export type Fault =
  /** Nothing. */
  | { readonly kind: "pass" }
  /** The connection ends before a byte of an answer. */
  | { readonly kind: "refuse" }
  /** The request is taken and never answered. */
  | { readonly kind: "swallow" }
  /** The answer waits until this resolves; its head too. */
  | { readonly kind: "hold"; readonly until: Promise<unknown> }
  /** The connection ends after so many octets of the answer's body. */
  | { readonly kind: "cut"; readonly after: number }
  /** So many octets of the answer's body come, and then nothing, with the connection open. */
  | { readonly kind: "stall"; readonly after: number }
  /** Another answer in place of the server's. */
  | {
      readonly kind: "replace";
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: string | Buffer;
    }
  /** The octets of the answer's body, piece by piece, as they come. */
  | { readonly kind: "rewrite"; readonly piece: (octets: Buffer) => Buffer }
  /**
   * The blocks of a stream of server-sent events (text up to and with its empty line): each becomes those returned, now
   * or with a later one. So they can be dropped, doubled, kept back and put into another order. Those that are promised
   * are waited for, and those behind them with them.
   */
  | { readonly kind: "blocks"; readonly each: (block: string) => readonly string[] | Promise<readonly string[]> };

export interface FaultProxy {
  readonly url: string;
  readonly port: number;
  /** Where it leads from now on: an origin. */
  to: string;
  /** What happens to exchanges that begin from now on; a function is asked for each. */
  fault: Fault | ((request: IncomingMessage) => Fault);
  /** Requests that arrived so far. */
  readonly arrived: () => number;
  /** Resolves when so many requests have arrived, all told. */
  arrival(count: number): Promise<void>;
  /** Requests that have arrived and whose exchange has not come to its end yet. */
  readonly open: (which?: (request: IncomingMessage) => boolean) => number;
  /** Ends every open connection, streams among them. */
  cutAll(): void;
  /** Ends the connections of these exchanges. */
  cut(which: (request: IncomingMessage) => boolean): void;
  close(): Promise<void>;
}

export interface FaultProxyOptions {
  /** Where it leads: an origin, `https://127.0.0.1:1234`; its certificate is not looked at. */
  readonly to: string;
  /** What it presents; plain HTTP without. */
  readonly tls?: ServerOptions;
}

/**
 * An HTTP proxy that does to answers what networks and bad servers do; no fault takes time of its own.
 *
 * @example const proxy = await startFaultProxy({ to: server.url }); proxy.fault = { kind: "cut", after: 10 }
 */
export async function startFaultProxy({ to, tls }: FaultProxyOptions): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  const watchers = new Set<() => void>();
  const exchanges = new Set<IncomingMessage>();
  let count = 0;

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    count += 1;
    exchanges.add(request);
    response.once("close", () => exchanges.delete(request));
    for (const watcher of watchers) watcher();
    const fault = typeof proxy.fault === "function" ? proxy.fault(request) : proxy.fault;
    if (fault.kind === "refuse") request.socket.destroy();
    else if (fault.kind === "swallow") request.resume();
    else forward(request, response, fault);
  };
  const forward = (request: IncomingMessage, response: ServerResponse, fault: Fault): void => {
    const { method, url, headers } = request;
    const { to } = proxy;
    const start = to.startsWith("https:") ? httpsRequest : httpRequest;
    const onward = start(new URL(url ?? "/", to), { method, headers, agent: false, rejectUnauthorized: false });
    onward.on("response", (answer) => {
      deliver(answer, response, fault).catch(() => response.destroy());
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  };

  const server = tls === undefined ? createServer(onRequest) : createTlsServer(tls, onRequest);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const cutAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const proxy: FaultProxy = {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    port,
    to,
    fault: { kind: "pass" },
    arrived: () => count,
    arrival: (wanted) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (count < wanted) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    open: (which = () => true) => [...exchanges].filter(which).length,
    cutAll,
    cut(which) {
      for (const request of exchanges) if (which(request)) request.socket.destroy();
    },
    async close() {
      server.close();
      cutAll();
      await once(server, "close");
    },
  };
  return proxy;
}

async function deliver(answer: IncomingMessage, response: ServerResponse, fault: Fault): Promise<void> {
  if (fault.kind === "replace") {
    answer.resume();
    response.writeHead(fault.status ?? 200, fault.headers).end(fault.body);
    return;
  }
  if (fault.kind === "hold") await fault.until;
  const { "content-length": length, ...headers } = answer.headers;
  const keepsLength = !["rewrite", "blocks"].includes(fault.kind) && length !== undefined;
  response.writeHead(answer.statusCode ?? 502, keepsLength ? answer.headers : headers);
  response.flushHeaders();
  if (fault.kind === "cut" || fault.kind === "stall") {
    answer.pipe(limited(fault.after, response, () => fault.kind === "cut" && response.destroy()));
    return;
  }
  const shaper = shape(fault);
  if (shaper === undefined) answer.pipe(response);
  else answer.pipe(shaper).pipe(response);
  answer.on("error", () => response.destroy());
}

function shape(fault: Fault): Transform | undefined {
  switch (fault.kind) {
    case "rewrite":
      return new Transform({
        transform(octets: Buffer, _, done) {
          done(null, fault.piece(octets));
        },
      });
    case "blocks":
      return blockwise(fault.each);
    case "cut":
    case "hold":
    case "pass":
    case "refuse":
    case "replace":
    case "stall":
    case "swallow":
      return undefined;
  }
}

/** Lets so many octets through and swallows the rest; says when they, or all that there were, have been written. */
function limited(most: number, to: ServerResponse, onReached: () => void): Writable {
  let left = most;
  return new Writable({
    write(octets: Buffer, _, done) {
      const part = octets.subarray(0, left);
      left -= part.length;
      to.write(part, () => {
        if (left === 0) onReached();
      });
      done();
    },
    final(done) {
      if (left > 0) onReached();
      done();
    },
  });
}

type EachBlock = Extract<Fault, { kind: "blocks" }>["each"];

function blockwise(each: EachBlock): Transform {
  let rest = "";
  let before = Promise.resolve();
  const decoder = new TextDecoder();
  return new Transform({
    transform(octets: Buffer, _, done) {
      rest += decoder.decode(octets, { stream: true });
      const blocks = rest.split(/(?<=\n\n)/);
      rest = blocks.at(-1)?.endsWith("\n\n") === true ? "" : (blocks.pop() ?? "");
      for (const block of blocks) {
        const passed = each(block);
        before = before.then(async () => {
          for (const one of await passed) this.push(one);
        });
      }
      done();
    },
    flush(done) {
      void before.then(() => {
        done();
      });
    },
  });
}
