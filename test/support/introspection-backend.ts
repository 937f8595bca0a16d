import { createHash, X509Certificate } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";

/** A request as it arrived. */
interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Gate {
  /** Resolves when so many requests wait at the gate (since it was closed). */
  arrived(count?: number): Promise<void>;
  open(): void;
}

/** How a request is answered: JSON with a status, or the response itself to do with as one likes. */
export type Respond = (
  request: RecordedRequest,
  response: ServerResponse,
) => { readonly status?: number; readonly json: unknown } | undefined;

export interface IntrospectionBackend {
  readonly baseUrl: string;
  readonly port: number;
  readonly requests: RecordedRequest[];
  /** How often a stream of events was asked for, which there is not. */
  readonly streams: () => number;
  /** Connections accepted so far. */
  readonly connections: () => number;
  /** The RFC 7662 facts of each token in force; any other token is not active. */
  readonly tokens: Map<string, Readonly<Record<string, unknown>>>;
  /** Answers everything in this way from now on; `undefined`: as a backend does. */
  respond: Respond | undefined;
  /** Lets no answer out until it is opened; requests are recorded before they wait. */
  closeGate(): Gate;
  stop(): Promise<void>;
}

/**
 * A real HTTP(S) server that answers `auth/introspection` and `auth/introspection/standard` from a table of tokens.
 *
 * @example const backend = await startIntrospectionBackend(); backend.tokens.set("good", { active: true })
 */
export async function startIntrospectionBackend(
  options: { readonly tls?: { readonly cert: string; readonly key: string }; readonly listen?: string } = {},
): Promise<IntrospectionBackend> {
  const requests: RecordedRequest[] = [];
  const tokens: IntrospectionBackend["tokens"] = new Map();
  const sockets = new Set<Socket>();
  let accepted = 0;
  let streams = 0;
  let gate: { wait: Promise<void>; count: number; watchers: (() => void)[] } | undefined;

  const handle = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (message.url?.includes("/auth/introspection/events") === true) {
      streams += 1;
      const refusal = { resultCode: "A001302", resultMessage: "[A001302] There is no stream here." };
      response.writeHead(404, { "content-type": "application/json" }).end(JSON.stringify(refusal));
      return;
    }
    const request = await record(message);
    requests.push(request);
    if (gate !== undefined) {
      gate.count += 1;
      for (const watcher of gate.watchers) watcher();
      await gate.wait;
    }
    const answer = backend.respond ? backend.respond(request, response) : answerFrom(tokens, request);
    if (answer === undefined) return;
    response.writeHead(answer.status ?? 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer.json));
  };
  const listener = (message: IncomingMessage, response: ServerResponse): void => {
    handle(message, response).catch(() => response.destroy());
  };
  const server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
  server.on("connection", (socket: Socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const path = options.listen;
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, "127.0.0.1", resolve);
    else server.listen(path, resolve);
  });
  const port = path === undefined ? (server.address() as AddressInfo).port : 0;
  const backend: IntrospectionBackend = {
    baseUrl: path === undefined ? `${options.tls ? "https" : "http"}://127.0.0.1:${port}` : `unix:${path}`,
    port,
    requests,
    connections: () => accepted,
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
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) =>
        server.close(() => {
          resolve();
        }),
      );
    },
  };
  return backend;
}

async function record(message: IncomingMessage): Promise<RecordedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return {
    method: message.method ?? "",
    path: message.url ?? "",
    authorization: message.headers.authorization,
    body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}

function answerFrom(tokens: IntrospectionBackend["tokens"], { path, body }: RecordedRequest): ReturnType<Respond> {
  if (path.endsWith("/auth/introspection/standard")) {
    const token = new URLSearchParams(body["parameters"] as string).get("token") ?? "";
    const facts = tokens.get(token) ?? { active: false };
    const responseContent = JSON.stringify(facts);
    return { json: { resultCode: "A145001", resultMessage: "[A145001] Done.", action: "OK", responseContent } };
  }
  return { json: decide(tokens.get(body["token"] as string), body) };
}

/** As the contract has it, for the members that the library sends. */
function decide(facts: Readonly<Record<string, unknown>> | undefined, body: RecordedRequest["body"]) {
  const refuse = (action: string, resultCode: string) => ({ action, resultCode, resultMessage: `[${resultCode}] No.` });
  if (facts === undefined) return refuse("UNAUTHORIZED", "A057302");
  const bound = (facts["cnf"] as Record<string, string> | undefined)?.["x5t#S256"];
  const pem = body["clientCertificate"] as string | undefined;
  const presented = pem && createHash("sha256").update(new X509Certificate(pem).raw).digest("base64url");
  if (bound !== undefined && presented === undefined) return refuse("UNAUTHORIZED", "A065304");
  if (bound !== undefined && presented !== bound) return refuse("UNAUTHORIZED", "A065305");
  const scopes = ((facts["scope"] as string | undefined) ?? "").split(" ");
  if (!((body["scopes"] as string[] | undefined) ?? []).every((scope) => scopes.includes(scope))) {
    return refuse("FORBIDDEN", "A064302");
  }
  return {
    resultCode: "A056001",
    resultMessage: "[A056001] The access token is valid.",
    action: "OK",
    responseContent: 'Bearer error="invalid_request"',
    clientId: 4711,
    existent: true,
    usable: true,
    sufficient: true,
    scopes,
    ...(facts["sub"] !== undefined && { subject: facts["sub"] }),
    ...(facts["exp"] !== undefined && { expiresAt: (facts["exp"] as number) * 1000 }),
    ...(facts["aud"] !== undefined && { accessTokenResources: [facts["aud"]].flat() }),
    ...(bound !== undefined && { certificateThumbprint: bound }),
  };
}
