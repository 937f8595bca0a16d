/** Entry `certbound/node`, for the servers of `node:http`, `node:https` and `node:http2`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { AccessToken } from "../access-token.ts";
import type { Refusal } from "../authorize-request.ts";
import type { ProtectedResourceMetadata } from "../protected-resource-metadata.ts";
import { refuseUnknownOptions } from "../refuse-unknown-options.ts";
import type { ResourceServer } from "../resource-server.ts";
import type { ResourceServerOptions } from "../resource-server-options.ts";
import {
  type HttpAnswer,
  type NodeRequest,
  type NodeResponse,
  withLength,
  writeAnswer,
  writeRawAnswer,
} from "./http-answer.ts";
import { metadataAnswer } from "./metadata-answer.ts";
import { demandScopes, openProtection, type ProtectionOptions, protectionOptionNames } from "./protection.ts";

export type { NodeRequest, NodeResponse, Refusal };

/** The options of `protect`; functions among them are handed Node's request. */
export interface ProtectOptions extends ProtectionOptions<NodeRequest> {
  /** Told of faults, the listener's too, which the client sees as 500; default: `process.emitWarning`. */
  readonly onError?: (error: Error, request: NodeRequest) => void;
}

/** What serves requests that are let in; may be asynchronous. */
export type ProtectedListener<Request, Response> = (
  request: Request,
  response: Response,
  accessToken: AccessToken,
) => unknown;

/** What takes over the connections of upgrades that are let in. */
export type ProtectedUpgrade = (
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  accessToken: AccessToken,
) => unknown;

const optionNames: ReadonlySet<string> = new Set([...protectionOptionNames, "onError"]);
const fault = withLength(500, { "Cache-Control": "no-store" }, "");

/**
 * Puts a request listener behind a decision: it gets the requests whose token opens the API, with that token; all
 * others are answered (RFC 6750 §3).
 *
 * A granted request's answer is `Cache-Control: no-store` unless the API says otherwise. What the listener throws, or
 * rejects with, is answered with 500.
 *
 * @example https.createServer(tls, protect(api)((request, response, accessToken) => response.end(accessToken.sub)))
 */
export function protect(
  resourceServer: ResourceServer | ResourceServerOptions,
  options: ProtectOptions = {},
): <Request extends NodeRequest = IncomingMessage, Response extends NodeResponse = ServerResponse>(
  listener: ProtectedListener<Request, Response>,
) => (request: Request, response: Response) => void {
  const { onError, protection } = open(resourceServer, options);
  return (listener) => (request, response) => {
    const serve = async (): Promise<void> => {
      const { body } = request as { body?: unknown };
      const entrance = await protection.enter({ context: request, request, body, connection: response });
      if (entrance.kind === "refused") writeAnswer(response, entrance.answer);
      if (entrance.kind !== "granted") return;
      response.setHeader("Cache-Control", "no-store");
      await listener(request, response, entrance.accessToken);
    };
    serve().catch((error: unknown) => {
      if (!response.headersSent) writeAnswer(response, fault);
      else if (!response.writableEnded) (response as ServerResponse).destroy();
      onError(asError(error), request);
    });
  };
}

/**
 * Puts an `upgrade` listener behind the same decision: the start of a WebSocket is a request like others, and who is
 * refused reads why (RFC 6455 §4.2.2).
 *
 * @example server.on("upgrade", protectUpgrade(api)((request, socket, head, accessToken) => {
 *   sockets.handleUpgrade(request, socket, head, (webSocket) => greet(webSocket, accessToken));
 * }))
 */
export function protectUpgrade(
  resourceServer: ResourceServer | ResourceServerOptions,
  options: ProtectOptions = {},
): (listener: ProtectedUpgrade) => (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const { onError, protection } = open(resourceServer, options);
  return (listener) => (request, socket, head) => {
    // Node has let go of the socket: an error that nobody listens to would end the process.
    const onSocketError = (): void => {
      socket.destroy();
    };
    socket.on("error", onSocketError);
    const serve = async (): Promise<void> => {
      const entrance = await protection.enter({ context: request, request, body: undefined, connection: socket });
      if (entrance.kind === "refused") writeRawAnswer(socket, entrance.answer);
      if (entrance.kind !== "granted") return;
      socket.off("error", onSocketError);
      await listener(request, socket, head, entrance.accessToken);
    };
    serve().catch((error: unknown) => {
      socket.on("error", onSocketError);
      if ((socket as Duplex & { bytesWritten?: number }).bytesWritten === 0) writeRawAnswer(socket, fault);
      else socket.destroy();
      onError(asError(error), request);
    });
  };
}

/**
 * Puts one route behind {@link protect} behind scopes besides: the token must cover them, else 403 (RFC 6750 §3.1).
 *
 * @example const pay = requireScopes("payments:write")((request, response, accessToken) => response.end("paid"))
 */
export function requireScopes(
  ...scopes: readonly [string, ...string[]]
): <Request extends NodeRequest = IncomingMessage, Response extends NodeResponse = ServerResponse>(
  listener: ProtectedListener<Request, Response>,
) => ProtectedListener<Request, Response> {
  const demand = demandScopes(scopes);
  return (listener) => (request, response, accessToken) => {
    const refusal: HttpAnswer | undefined = demand(request);
    if (refusal === undefined) return listener(request, response, accessToken);
    writeAnswer(response, refusal);
    return undefined;
  };
}

/**
 * Serves the metadata of the protected resource in front of a listener (RFC 9728 §3).
 *
 * @example https.createServer(tls, serveMetadata(metadata)(protect(api, { resourceMetadata: metadata })(listener)))
 */
export function serveMetadata(
  metadata: ProtectedResourceMetadata,
): <Request extends NodeRequest = IncomingMessage, Response extends NodeResponse = ServerResponse>(
  listener: (request: Request, response: Response) => void,
) => (request: Request, response: Response) => void {
  return (listener) => (request, response) => {
    const answer = metadataAnswer(metadata, request.method, request.url);
    if (answer === undefined) listener(request, response);
    else writeAnswer(response, answer);
  };
}

function open(resourceServer: ResourceServer | ResourceServerOptions, options: ProtectOptions) {
  refuseUnknownOptions(options, optionNames);
  const { onError = warn, ...others } = options;
  return { onError, protection: openProtection(resourceServer, others) };
}

function warn(error: Error): void {
  process.emitWarning(error);
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error("Something that is no error was thrown.", { cause: thrown });
}
