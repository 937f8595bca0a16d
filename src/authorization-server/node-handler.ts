import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { namesAccessToken } from "../oauth/authorization-header.ts";
import { optionError } from "../options/option-error.ts";
import { answerOrClose, closeConnection } from "../serving/answer-or-close.ts";
import { disown, tellHook } from "../serving/call-harmlessly.ts";
import { asError, warnOfFault } from "../serving/fault.ts";
import { tryLater } from "./ask-backend.ts";
import { certificateForBackend, type CertificateOptions } from "./certificate-for-backend.ts";
import { type AddressSource, peerAddress } from "./client-address.ts";
import {
  type BrowserRequest,
  type Endpoint,
  type EndpointAnswer,
  type EndpointRequest,
  oauthErrorAnswer,
} from "./endpoint.ts";

/** In octets: more than any token request needs, because certificates are not in the body. */
const largestBody = 65_536;

/** Endpoints by the path they answer on, for example `{ "/token": tokenEndpoint(…) }`. */
export type Endpoints = Readonly<Record<string, Endpoint>>;

/** The options of `nodeHandler`. */
export interface NodeHandlerOptions extends CertificateOptions {
  /**
   * Returns the address that a request came from, for `users.authenticate` and the backend's log; default: the
   * connection's peer. Behind a proxy: `forwardedAddress`.
   */
  readonly address?: AddressSource;
  /**
   * Milliseconds that an endpoint may take after the request has been read (default 30,000); then the answer is 503,
   * for example if the user table never answers.
   */
  readonly timeout?: number;
  /**
   * Called for faults: an endpoint that throws (its client's connection is closed) or takes too long, an answer that
   * cannot be written; default: a process warning. If it throws or rejects, the answer stays the same.
   */
  readonly onError?: (error: Error, request: IncomingMessage) => unknown;
}

/** What handling a request needs besides its endpoint. */
interface Serving {
  readonly certificateOf: ReturnType<typeof certificateForBackend>;
  readonly addressOf: AddressSource;
  readonly timeout: number;
  readonly report: (thrown: unknown, request: IncomingMessage) => void;
}

const tooLate = Symbol("too late");

/**
 * Serves endpoints with Node's own servers: pass it to `https.createServer` with `requestCert: true` and
 * `rejectUnauthorized: false` (RFC 8705 §6.1: the backend decides for each client whether the certificate is trusted).
 *
 * The client's certificate is taken from the connection and never from a header, unless the option `certificate` says so
 * (RFC 8705 §6.5). An unreadable certificate is forwarded as unreadable, so that the backend rejects it. A request with
 * two certificate headers gets 400, a body with a content coding 415. Throws a `TypeError` with a `code` for wrong
 * options.
 *
 * @example https.createServer({ cert, key, requestCert: true, rejectUnauthorized: false }, nodeHandler({ "/token": token }))
 */
export function nodeHandler(endpoints: Endpoints, options: NodeHandlerOptions = {}): RequestListener {
  const { address: addressOf = peerAddress, timeout = 30_000, onError = warnOfFault, ...others } = options;
  if (typeof addressOf !== "function") throw optionError("address", "must be a function");
  if (typeof onError !== "function") throw optionError("onError", "must be a function");
  if (!(Number.isSafeInteger(timeout) && timeout > 0 && timeout <= 2_147_483_647)) {
    throw optionError("timeout", "must be a positive number of milliseconds");
  }
  const byPath = new Map(Object.entries(endpoints));
  const serving: Serving = {
    certificateOf: certificateForBackend(others),
    addressOf,
    timeout,
    report: (thrown, request) => {
      tellHook("onError", onError, asError(thrown), request);
    },
  };
  return (request, response) => {
    const endpoint = byPath.get(pathOf(request.url ?? ""));
    answerOf(request, endpoint, serving).then(
      (answer) => {
        const unwritten = write(request, response, answer);
        if (unwritten !== undefined) serving.report(unwritten, request);
      },
      (error: unknown) => {
        // A client that disconnects while sending its body is not a fault.
        const left = error === clientGone;
        closeConnection(request, response);
        if (!left) serving.report(error, request);
      },
    );
  };
}

async function answerOf(
  request: IncomingMessage,
  endpoint: Endpoint | undefined,
  { certificateOf, addressOf, timeout, report }: Serving,
): Promise<EndpointAnswer> {
  if (endpoint === undefined) {
    request.resume();
    return oauthErrorAnswer(404, "invalid_request", "Unknown endpoint.");
  }
  if (isCoded(request)) {
    request.resume();
    const identity = { "accept-encoding": "identity" };
    return oauthErrorAnswer(415, "invalid_request", "The request must have no content coding.", identity);
  }
  const body = await readBody(request);
  if (body === undefined) {
    return oauthErrorAnswer(413, "invalid_request", "The request is too large.", { connection: "close" });
  }
  const [authorization, second] = request.headersDistinct["authorization"] ?? [];
  if (second !== undefined) {
    return oauthErrorAnswer(400, "invalid_request", "The request has more than one Authorization header.");
  }
  const certificate = certificateOf(request);
  if ("error" in certificate) return certificate.error;
  const address: unknown = disown(addressOf(request));
  const { "content-type": contentType, accept } = request.headers;
  const endpointRequest: EndpointRequest = {
    method: request.method ?? "",
    ...(typeof address === "string" && { address }),
    ...(authorization !== undefined && { authorization }),
    ...(contentType !== undefined && { contentType }),
    ...(accept !== undefined && { accept }),
    body,
    ...(namesAccessToken(queryOf(request)) && { tokenInQuery: true }),
    ...certificate,
    ...(endpoint.forBrowsers === true && { browser: browserRequest(request) }),
  };
  const answer = await inTime(endpoint(endpointRequest), timeout);
  if (answer !== tooLate) return readAnswer(answer);
  report(new Error(`The endpoint took longer than ${timeout} ms.`), request);
  return tryLater();
}

async function inTime<Result>(result: Promise<Result>, timeout: number): Promise<Result | typeof tooLate> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<typeof tooLate>((resolve) => {
    timer = setTimeout(resolve, timeout, tooLate);
  });
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the body has a content coding, which is unsupported (RFC 9110 §8.4). */
function isCoded({ headers }: IncomingMessage): boolean {
  const codings = headers["content-encoding"]?.split(",") ?? [];
  return codings.some((coding) => coding.trim().toLowerCase() !== "identity");
}

function pathOf(url: string): string {
  const at = url.indexOf("?");
  return at === -1 ? url : url.slice(0, at);
}

function queryOf({ url = "" }: IncomingMessage): string {
  const at = url.indexOf("?");
  return at === -1 ? "" : url.slice(at + 1);
}

function browserRequest(request: IncomingMessage): BrowserRequest {
  const { headers } = request;
  const { cookie, host, origin, "sec-fetch-site": fetchSite } = headers;
  return {
    query: queryOf(request),
    ...(cookie !== undefined && { cookie }),
    ...(host !== undefined && { host }),
    ...(origin !== undefined && { origin }),
    ...(typeof fetchSite === "string" && { fetchSite }),
  };
}

const clientGone = new Error("The client has left.");

/** `undefined` if the body is too large; the rest is discarded. */
function readBody(request: IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    // For example by a body parser: the event `end` would not come again.
    if (request.readableEnded) reject(new Error("The body of the request was read before the endpoint could read it."));
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= largestBody) chunks.push(chunk);
      else resolve(undefined);
    });
    request.on("end", () => {
      resolve(Buffer.concat(chunks).toString("utf8"));
    });
    const leave = (): void => {
      reject(clientGone);
    };
    request.on("error", leave);
    request.on("close", leave);
  });
}

/** Returns the error if the response could not be written. */
function write(request: IncomingMessage, response: ServerResponse, { status, headers, body }: EndpointAnswer): unknown {
  const length = { "content-length": String(Buffer.byteLength(body)) };
  return answerOrClose(request, response, { status, headers: { ...headers, ...length }, body });
}

/** Validates the response of an endpoint, which may be the program's own. Throws if it is malformed. */
function readAnswer(answered: EndpointAnswer): EndpointAnswer {
  const { status, headers, body } = answered as Partial<Record<keyof EndpointAnswer, unknown>>;
  if (!Number.isInteger(status) || typeof body !== "string" || typeof headers !== "object" || headers === null) {
    throw new Error("The endpoint returned a malformed response: it needs status, headers and body.");
  }
  return { status, headers, body } as EndpointAnswer;
}
