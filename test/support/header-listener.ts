import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type ListenOptions, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import type { ExecutionContext } from "ava";
import type { CertificateSource } from "../../src/client-certificate/certificate-source.ts";
import { trustedProxies, type TrustedProxies } from "../../src/client-certificate/trusted-proxies.ts";

/** The proxy of these tests: whoever is on this machine's loopback. */
export const loopback: TrustedProxies = trustedProxies(["127.0.0.1"]);

/** A header as it goes over the wire: name and value. */
type HeaderLine = readonly [name: string, value: string];

export interface HeaderListener {
  /**
   * Sends one request with exactly these header lines, on a connection of its own, and answers with what the source
   * said (the thumbprint alone, where there is one) or with the status that Node refused it with.
   */
  readonly ask: (...lines: readonly HeaderLine[]) => Promise<unknown>;
  /** The same octets, without any rule about them. */
  readonly send: (head: string) => Promise<unknown>;
  readonly port: number;
}

/** A plain HTTP server that answers what a source says of each request; ended with the test. */
export async function listenFor(
  t: ExecutionContext,
  source: CertificateSource,
  listen: ListenOptions = { port: 0, host: "127.0.0.1" },
  localAddress = "127.0.0.1",
): Promise<HeaderListener> {
  const server = createServer((request, response) => {
    response.end(JSON.stringify(told(source(request))));
  });
  server.listen(listen);
  await once(server, "listening");
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const open = (): Socket =>
    typeof address === "string" ? connect(address) : connect({ port, host: localAddress, localAddress });
  const send = async (head: string): Promise<unknown> => {
    const socket = open();
    socket.end(`GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${head}\r\n`);
    const answer = await text(socket);
    const status = Number(answer.split(" ", 2)[1]);
    return status === 200 ? JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4)) : status;
  };
  return { port, send, ask: (...lines) => send(lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")) };
}

/** What a source said, in JSON's terms: null for no certificate, a reason, or the thumbprint and how much of the rest. */
export function told(found: ReturnType<CertificateSource>): unknown {
  if (found === undefined) return null;
  if ("unreadable" in found) return { unreadable: found.unreadable };
  return { x5tS256: found.x5tS256, octets: found.raw?.length ?? 0 };
}
