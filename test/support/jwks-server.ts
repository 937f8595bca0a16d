import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { ExecutionContext } from "ava";
import { createAuthority, serverAuth } from "./certificates.ts";

/** A server of a client's own, with its key set at /jwks. */
export interface JwksServer {
  readonly url: string;
  /** What it answers from now on. */
  readonly serve: (answer: unknown) => void;
  /** How often it was asked. */
  readonly asked: () => number;
  readonly close: () => void;
}

const authority = createAuthority({ subject: "CN=JWKS server CA" });
const server = authority.issue({ subject: "CN=localhost", san: [{ dns: "localhost" }], eku: [serverAuth] });

/** The authority of the servers that speak TLS. */
export const jwksServerCa = authority.certificate.pem;

/** Starts one on loopback that ends with the test; an `answer` is sent as JSON, or does the answering itself. */
export async function startJwksServer(
  t: ExecutionContext,
  answer: unknown,
  { tls = false }: { readonly tls?: boolean } = {},
): Promise<JwksServer> {
  let current = answer;
  let asked = 0;
  const listener: RequestListener = (request, response) => {
    asked++;
    if (typeof current === "function") {
      (current as RequestListener)(request, response);
      return;
    }
    response.setHeader("Content-Type", "application/jwk-set+json").end(JSON.stringify(current));
  };
  const listening: Server = tls
    ? createHttpsServer({ cert: server.pem, key: server.key }, listener)
    : createHttpServer(listener);
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  const close = () => {
    listening.closeAllConnections();
    listening.close();
  };
  t.teardown(close);
  const origin = `${tls ? "https://localhost" : "http://127.0.0.1"}:${(listening.address() as AddressInfo).port}`;
  return {
    url: `${origin}/jwks`,
    serve: (next) => {
      current = next;
    },
    asked: () => asked,
    close,
  };
}
