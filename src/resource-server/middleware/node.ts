import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { refuseUnknownOptions } from "../../options/refuse-unknown-options.ts";
import { closeConnection } from "../../serving/answer-or-close.ts";
import { callHarmlessly, tellHook } from "../../serving/call-harmlessly.ts";
import { asError, warnOfFault } from "../../serving/fault.ts";
import type { AccessToken } from "../decision/access-token.ts";
import type { ResourceServerOptions } from "../resource-server-options.ts";
import type { ResourceServer } from "../resource-server.ts";
import type { Refusal } from "./authorize-request.ts";
import {
  type HttpAnswer,
  metadataAnswer,
  type NodeRequest,
  type NodeResponse,
  withLength,
  writeAnswer,
  writeRawAnswer,
} from "./http-answer.ts";
import type { ProtectedResourceMetadata } from "../protected-resource-metadata.ts";
import { demandScopes, openProtection, protectionOptionNames, type ProtectionOptions } from "./protection.ts";

/** Entry `certbound/node`, for the servers of `node:http`, `node:https` and `node:http2`. */

export { serverTimeouts } from "../../serving/server-timeouts.ts";
export type { NodeRequest, NodeResponse, Refusal };

/** The options of `protect`; functions get Node's request. */
export interface ProtectOptions extends ProtectionOptions<NodeRequest> {
  /**
   * Called with faults, including the listener's, which the client sees as 500, and with errors of writing a response;
   * default: `process.emitWarning`. If it throws or rejects, responses are unchanged; a warning is emitted once.
   */
  readonly onError?: (error: Error, request: NodeRequest) => void;
}

/** Serves granted requests; may be asynchronous. */
export type ProtectedListener<Request, Response> = (
  request: Request,
  response: Response,
  accessToken: AccessToken,
) => unknown;

/** Takes over the connections of granted upgrade requests. */
export type ProtectedUpgrade = (
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  accessToken: AccessToken,
) => unknown;

const optionNames: ReadonlySet<string> = new Set([...protectionOptionNames, "onError"]);
const fault = withLength(500, { "Cache-Control": "no-store" }, "");

/**
 * Protects a request listener: it gets the requests whose token gives access to the API, with that token; all others
 * are refused (RFC 6750 §3).
 *
 * Responses to granted requests have `Cache-Control: no-store` unless the API sets another value. If the listener
 * throws or rejects, the response is 500.
 *
 * @example https.createServer(tls, protect(api)((request, response, accessToken) => response.end(accessToken.sub)))
 */
export function protect(
  resourceServer: ResourceServer | ResourceServerOptions,
  options: ProtectOptions = {},
): <Request extends NodeRequest = IncomingMessage, Response extends NodeResponse = ServerResponse>(
  listener: ProtectedListener<Request, Response>,
) => (request: Request, response: Response) => void {
  const { tell, protection } = open(resourceServer, options);
  return (listener) => (request, response) => {
    const serve = async (): Promise<void> => {
      const { body, originalUrl = request.url } = request as { body?: unknown; originalUrl?: string };
      const entrance = await protection.enter({
        context: request,
        request,
        body,
        target: originalUrl,
        connection: response,
      });
      if (entrance.kind === "refused") tell(writeAnswer(request, response, entrance.answer), request);
      if (entrance.kind !== "granted") return;
      response.setHeader("Cache-Control", "no-store");
      await listener(request, response, entrance.accessToken);
    };
    serve().catch((error: unknown) => {
      writeAnswer(request, response, fault);
      tell(asError(error), request);
    });
  };
}

/**
 * Protects an `upgrade` listener: a WebSocket handshake is a request like others, and a refused client gets a response
 * (RFC 6455 §4.2.2).
 *
 * @example server.on("upgrade", protectUpgrade(api)((request, socket, head, accessToken) => {
 *   sockets.handleUpgrade(request, socket, head, (webSocket) => greet(webSocket, accessToken));
 * }))
 */
export function protectUpgrade(
  resourceServer: ResourceServer | ResourceServerOptions,
  options: ProtectOptions = {},
): (listener: ProtectedUpgrade) => (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const { tell, protection } = open(resourceServer, options);
  return (listener) => (request, socket, head) => {
    // Node has released the socket: an error without a listener would end the process.
    const onSocketError = (): void => {
      socket.destroy();
    };
    const serve = async (): Promise<void> => {
      socket.on("error", onSocketError);
      const entrance = await protection.enter({
        context: request,
        request,
        body: undefined,
        target: request.url,
        connection: socket,
      });
      if (entrance.kind === "refused") tell(writeRawAnswer(socket, entrance.answer), request);
      if (entrance.kind !== "granted") return;
      socket.off("error", onSocketError);
      await listener(request, socket, head, entrance.accessToken);
    };
    serve().catch((error: unknown) => {
      if (!socket.listeners("error").includes(onSocketError)) socket.on("error", onSocketError);
      if ((socket as Duplex & { bytesWritten?: number }).bytesWritten === 0) writeRawAnswer(socket, fault);
      else closeConnection({}, socket);
      tell(asError(error), request);
    });
  };
}

/**
 * Requires scopes for a route inside {@link protect}: responds with 403 unless the token covers them (RFC 6750 §3.1).
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
    const unwritten = writeAnswer(request, response, refusal);
    // `protect` reports it.
    if (unwritten !== undefined) throw asError(unwritten);
    return undefined;
  };
}

/**
 * Serves the metadata of the protected resource in front of a listener (RFC 9728 §3).
 *
 * If the listener throws or rejects, the response is 500 and a warning is emitted.
 *
 * @example https.createServer(tls, serveMetadata(metadata)(protect(api, { resourceMetadata: metadata })(listener)))
 */
export function serveMetadata(
  metadata: ProtectedResourceMetadata,
): <Request extends NodeRequest = IncomingMessage, Response extends NodeResponse = ServerResponse>(
  listener: (request: Request, response: Response) => unknown,
) => (request: Request, response: Response) => void {
  return (listener) => (request, response) => {
    const answer = metadataAnswer(metadata, request.method, request.url);
    if (answer !== undefined) {
      writeAnswer(request, response, answer);
      return;
    }
    callHarmlessly(
      () => listener(request, response),
      (error) => {
        writeAnswer(request, response, fault);
        warnOfFault(error);
      },
    );
  };
}

function open(resourceServer: ResourceServer | ResourceServerOptions, options: ProtectOptions) {
  refuseUnknownOptions(options, optionNames);
  const { onError = warnOfFault, ...others } = options;
  /** Ignores `undefined`, which is not a fault. */
  const tell = (thrown: unknown, request: NodeRequest): void => {
    if (thrown !== undefined) tellHook("onError", onError, asError(thrown), request);
  };
  return { tell, protection: openProtection(resourceServer, others) };
}
