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

/** The options of `protect`; functions among them are handed Node's request. */
export interface ProtectOptions extends ProtectionOptions<NodeRequest> {
  /**
   * Told of faults, the listener's too, which the client sees as 500, and of answers that could not be written; default:
   * `process.emitWarning`. One that throws, or rejects, changes no answer; the process is warned once.
   */
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
  const { tell, protection } = open(resourceServer, options);
  return (listener) => (request, socket, head) => {
    // Node has let go of the socket: an error that nobody listens to would end the process.
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
    const unwritten = writeAnswer(request, response, refusal);
    // `protect` tells of it.
    if (unwritten !== undefined) throw asError(unwritten);
    return undefined;
  };
}

/**
 * Serves the metadata of the protected resource in front of a listener (RFC 9728 §3).
 *
 * What the listener throws, or rejects with, is answered with 500, and is a warning of the process.
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
  /** `undefined` is no fault. */
  const tell = (thrown: unknown, request: NodeRequest): void => {
    if (thrown !== undefined) tellHook("onError", onError, asError(thrown), request);
  };
  return { tell, protection: openProtection(resourceServer, others) };
}
