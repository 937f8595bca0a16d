import { constants } from "node:crypto";
import { once } from "node:events";
import { lstat, unlink } from "node:fs/promises";
import { createServer as createHttpServer, type RequestListener, type Server, ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect, Server as NetServer, type Socket } from "node:net";
import { createSecureContext, type SecureContextOptions, Server as TlsServer } from "node:tls";
import { serverTimeouts } from "../../serving/server-timeouts.ts";

/** Where to listen; port 0 is any free one. With `tls` (PEM texts) it is HTTPS, of 1.2 at least. */
export type ListenOptions = ({ readonly host: string; readonly port: number } | { readonly unix: string }) & {
  readonly tls?: TlsOptions;
  /** Told of connections that could not be accepted, for example for want of file descriptors. */
  readonly onError?: (error: Error) => void;
};

/** PEM texts, and the lowest accepted version; default TLS 1.2. */
interface TlsOptions {
  readonly certificate: string;
  readonly key: string;
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
}

/** A server that listens. */
export interface Listening {
  /** `http://127.0.0.1:8705`, or `unix:` and the path; the port is `undefined` on a unix socket. */
  readonly address: { readonly url: string; readonly port: number | undefined };
  /**
   * Checks another certificate and key, and returns a function that uses them for new handshakes; that function cannot
   * fail. Open connections stay. Throws OpenSSL's error, or a `TypeError` if the listener has no TLS.
   */
  readonly prepareTls: (tls: TlsOptions) => () => void;
  /**
   * Accepts no new connections and resolves when every connection is closed: current requests are answered, with
   * `Connection: close`, until `deadline` aborts (default 9 s); the remaining ones are cut off.
   */
  readonly close: (deadline?: AbortSignal) => Promise<void>;
}

/** Of TLS 1.2 those that RFC 9325 §4.2 (BCP 195) recommends: forward secrecy and AEAD. All of 1.3 are such. */
const suites = "ECDHE+AESGCM:ECDHE+CHACHA20";

/** Milliseconds that a connection between two requests has for one more, answered with `Connection: close`. */
const idleGrace = 250;

/** Milliseconds; what stops processes from outside gives them 10 s or more before it kills. */
const drainTimeout = 9_000;

/**
 * Starts the listener (loopback or a unix socket, or TLS; the configuration checks which is allowed).
 *
 * Rejects with the system's error when the address is not available. TLS is 1.2 or later and never renegotiates, since
 * a certificate is read once per connection.
 *
 * @example const { address, close } = await listen(app, { host: "127.0.0.1", port: 8705 })
 */
export async function listen(listener: RequestListener, options: ListenOptions): Promise<Listening> {
  const drain = { started: false };
  const server = createServer(listener, options.tls, drain);
  const connections = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  if ("unix" in options) {
    await removeStaleSocket(options.unix);
    server.listen({ path: options.unix });
  } else {
    server.listen({ host: options.host, port: options.port });
  }
  await once(server, "listening");
  server.on("error", (error) => options.onError?.(error));
  const closed = new Promise<void>((resolve) => {
    server.once("close", resolve);
  });
  return {
    address: addressOf(server, options),
    prepareTls(tls) {
      if (!(server instanceof TlsServer)) throw new TypeError("The listener has no TLS.");
      const wanted = secureContextOf(tls);
      createSecureContext(wanted);
      return () => {
        server.setSecureContext(wanted);
      };
    },
    async close(deadline = AbortSignal.timeout(drainTimeout)) {
      if (!drain.started) {
        drain.started = true;
        // Not http's own close, which resets connections whose next request has already been sent.
        NetServer.prototype.close.call(server);
        for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
        const closingIdle = setInterval(() => {
          server.closeIdleConnections();
        }, idleGrace);
        server.once("close", () => {
          clearInterval(closingIdle);
        });
      }
      const cutOff = (): void => {
        for (const socket of connections) socket.destroy();
      };
      if (deadline.aborted) cutOff();
      deadline.addEventListener("abort", cutOff, { once: true });
      await closed;
      deadline.removeEventListener("abort", cutOff);
    },
  };
}

function createServer(
  listener: RequestListener,
  tls: ListenOptions["tls"],
  drain: { readonly started: boolean },
): Server {
  /** Looks whether the connection may live on at the moment the answer is written, not when the request came. */
  class DrainingResponse extends ServerResponse {
    override writeHead(status: number, ...rest: unknown[]): this {
      if (drain.started) this.shouldKeepAlive = false;
      return super.writeHead(status, ...(rest as []));
    }
  }
  const options = { ...serverTimeouts, ServerResponse: DrainingResponse };
  if (tls === undefined) return createHttpServer(options, listener);
  return createHttpsServer({ ...options, ...secureContextOf(tls) }, listener);
}

function secureContextOf(tls: TlsOptions): SecureContextOptions {
  return {
    cert: tls.certificate,
    key: tls.key,
    minVersion: tls.minVersion ?? "TLSv1.2",
    ciphers: suites,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}

function addressOf(server: Server, options: ListenOptions): Listening["address"] {
  if ("unix" in options) return { url: `unix:${options.unix}`, port: undefined };
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return { url: `${options.tls === undefined ? "http" : "https"}://${host}:${port}`, port };
}

/**
 * Removes the unix socket of a killed process. One that still answers, or anything that is not a socket, stays and
 * makes listening fail.
 */
async function removeStaleSocket(path: string): Promise<void> {
  const probe = connect({ path });
  try {
    await once(probe, "connect");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ECONNREFUSED" && (await isSocket(path))) {
      await unlink(path);
    }
  } finally {
    probe.destroy();
  }
}

/** Connecting to a plain file is refused as well. */
async function isSocket(path: string): Promise<boolean> {
  return (await lstat(path)).isSocket();
}
