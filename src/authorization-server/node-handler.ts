import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { certificateForBackend, type CertificateOptions } from "./certificate-for-backend.ts";
import {
  errorAnswer,
  type BrowserRequest,
  type Endpoint,
  type EndpointAnswer,
  type EndpointRequest,
} from "./endpoint.ts";

/** More than any token request needs, certificates not being in it. In octets. */
const largestBody = 65_536;

/** Endpoints by the path they answer on, for example `{ "/token": tokenEndpoint(…) }`. */
export type Endpoints = Readonly<Record<string, Endpoint>>;

/**
 * Serves endpoints with Node's own servers: give it to `https.createServer` with `requestCert: true` and
 * `rejectUnauthorized: false` (RFC 8705 §6.1: whether the certificate is trusted is decided later, per client).
 *
 * The client's certificate is the connection's, and no header is ever read for it, unless the option `certificate` says
 * otherwise (RFC 8705 §6.5). A certificate that cannot be read is not "none": the backend refuses it, and a
 * request with two certificate headers is 400. Throws a `TypeError` with a `code` for wrong options.
 *
 * @example https.createServer({ cert, key, requestCert: true, rejectUnauthorized: false }, nodeHandler({ "/token": token }))
 */
export function nodeHandler(endpoints: Endpoints, options: CertificateOptions = {}): RequestListener {
  const byPath = new Map(Object.entries(endpoints));
  const certificateOf = certificateForBackend(options);
  return (request, response) => {
    const endpoint = byPath.get((request.url ?? "").split("?")[0] ?? "");
    if (endpoint === undefined) {
      request.resume();
      write(response, errorAnswer(404, "invalid_request", "There is no such endpoint."));
      return;
    }
    serve(request, response, endpoint, certificateOf).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  endpoint: Endpoint,
  certificateOf: ReturnType<typeof certificateForBackend>,
): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) {
    write(response, errorAnswer(413, "invalid_request", "The request is too large.", { connection: "close" }));
    return;
  }
  const [authorization, second] = request.headersDistinct["authorization"] ?? [];
  if (second !== undefined) {
    write(response, errorAnswer(400, "invalid_request", "The request has more than one Authorization header."));
    return;
  }
  const certificate = certificateOf(request);
  if ("answer" in certificate) {
    write(response, certificate.answer);
    return;
  }
  const { "content-type": contentType, accept } = request.headers;
  const endpointRequest: EndpointRequest = {
    method: request.method ?? "",
    ...(authorization === undefined ? {} : { authorization }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(accept === undefined ? {} : { accept }),
    body,
    ...(request.socket.remoteAddress === undefined ? {} : { address: request.socket.remoteAddress }),
    ...certificate,
    ...(endpoint.forBrowsers === true ? { browser: browserRequest(request) } : {}),
  };
  write(response, await endpoint(endpointRequest));
}

function browserRequest({ url = "", headers }: IncomingMessage): BrowserRequest {
  const at = url.indexOf("?");
  const { cookie, host, origin, "sec-fetch-site": fetchSite } = headers;
  return {
    query: at === -1 ? "" : url.slice(at + 1),
    ...(cookie === undefined ? {} : { cookie }),
    ...(host === undefined ? {} : { host }),
    ...(origin === undefined ? {} : { origin }),
    ...(typeof fetchSite === "string" ? { fetchSite } : {}),
  };
}

/** `undefined` when the body is larger than allowed; the rest of it is not kept. */
function readBody(request: IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
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
    request.on("error", reject);
  });
}

function write(response: ServerResponse, { status, headers, body }: EndpointAnswer): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader("content-length", Buffer.byteLength(body));
  response.writeHead(status);
  response.end(body);
}
