import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { createSecureServer, type Http2ServerRequest } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import type { SecureVersion } from "node:tls";
import { createSelfSigned } from "../support/certificates.ts";

export interface Listener {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

export interface ListenerOptions {
  /** `h1`: HTTP/1.1 over TLS. `h2`: HTTP/2 over TLS. `plain`: HTTP/1.1 without TLS. */
  readonly protocol: "h1" | "h2" | "plain";
  /** The only version that it speaks; TLS 1.2 and 1.3 when left out. */
  readonly version?: SecureVersion;
  /** What to answer, as JSON; `undefined` becomes null. */
  readonly answer: (request: IncomingMessage | Http2ServerRequest) => unknown;
}

/** A server on a free port of the loopback that asks for a client certificate and takes any, or none. */
export async function openListener({ protocol, version, answer }: ListenerOptions): Promise<Listener> {
  const { pem, key } = createSelfSigned({ subject: "CN=localhost", san: [{ dns: "localhost" }] });
  const versions = version === undefined ? {} : { minVersion: version, maxVersion: version };
  const options = { cert: pem, key, requestCert: true, rejectUnauthorized: false, ...versions };
  const json = (request: IncomingMessage | Http2ServerRequest): string => JSON.stringify(answer(request) ?? null);
  const server: Server =
    protocol === "h2"
      ? createSecureServer(options, (request, response) => response.end(json(request)))
      : protocol === "h1"
        ? createHttpsServer(options, (request, response) => response.end(json(request)))
        : createHttpServer((request, response) => response.end(json(request)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${protocol === "plain" ? "http" : "https"}://localhost:${port}/`,
    async close() {
      server.close();
      await once(server, "close");
    },
  };
}
