import { constants } from "node:crypto";
import { createServer } from "node:https";
import type { RequestListener } from "node:http";
import type { AddressInfo, Server, Socket } from "node:net";
import type { ExecutionContext } from "ava";
import { createAuthority, serverAuth } from "./certificates.ts";

export interface TlsVersions {
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3";
}

const authority = createAuthority({ subject: "CN=Test server CA" });
/** To verify the servers with. */
export const serverCa = authority.certificate.pem;
const identity = authority.issue({
  subject: "CN=localhost",
  san: [{ dns: "localhost" }, { ip: "127.0.0.1" }],
  eku: [serverAuth],
});

/** Options of a server that asks every client for a certificate and lets any in. */
export const mutualTls = {
  cert: identity.pem,
  key: identity.key,
  requestCert: true,
  rejectUnauthorized: false,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} as const;

/** An HTTPS server with {@link mutualTls}; closed with the test. */
export function serveMutualTls(
  t: ExecutionContext,
  listener: RequestListener,
  versions: TlsVersions = {},
): Promise<string> {
  return listenOnLoopback(t, createServer({ ...mutualTls, ...versions }, listener));
}

/** Listens on a free port of the loopback, and answers with the URL; connections end with the test. */
export async function listenOnLoopback(t: ExecutionContext, server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}
