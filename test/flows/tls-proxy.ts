import { once } from "node:events";
import { request as forward } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { TLSSocket } from "node:tls";
import type { ExecutionContext } from "ava";
import { createSelfSigned, type TestCertificate } from "../support/certificates.ts";

export interface TlsProxyOptions {
  /** Where requests go on: a port of the loopback, or the path of a unix socket. */
  readonly to: number | string;
  /** The headers that the proxy writes for the certificate of a connection. */
  readonly headers: (der: Buffer | undefined) => Readonly<Record<string, string>>;
  /** The client's headers that it takes away, in lower case, underscores read as hyphens; none: it is careless. */
  readonly removes?: readonly string[];
}

/** A proxy that ends mutual TLS and forwards in plain HTTP; its URL. Ended with the test. */
export async function startTlsProxy(
  t: ExecutionContext,
  { to, headers, removes = [] }: TlsProxyOptions,
): Promise<string> {
  const { pem, key }: TestCertificate = createSelfSigned({ subject: "CN=localhost", san: [{ dns: "localhost" }] });
  const server = createServer({ cert: pem, key, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    const kept: string[] = [];
    for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
      const [name = "", value = ""] = request.rawHeaders.slice(at, at + 2);
      if (!removes.includes(name.toLowerCase().replaceAll("_", "-"))) kept.push(name, value);
    }
    const certificate = request.socket instanceof TLSSocket ? request.socket.getPeerX509Certificate() : undefined;
    for (const [name, value] of Object.entries(headers(certificate?.raw))) kept.push(name, value);
    const { method, url: path } = request;
    const target = typeof to === "string" ? { socketPath: to } : { host: "127.0.0.1", port: to };
    const onward = forward({ ...target, method, path, headers: kept, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}
