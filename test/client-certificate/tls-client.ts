import { once } from "node:events";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { TestCertificate } from "../support/certificates.ts";

/** A client's end of one TLS connection, on which HTTP/1.1 requests go one after another. */
export interface TlsClient {
  readonly socket: TLSSocket;
  /** Sends GET / and reads the answer's body as JSON; rejects when the connection ends instead. */
  readonly get: (headers?: Readonly<Record<string, string>>) => Promise<unknown>;
  /** A session to resume; waits until the server has given one out. */
  readonly session: () => Promise<Buffer>;
  readonly close: () => Promise<void>;
}

export interface TlsClientOptions extends Omit<ConnectionOptions, "path"> {
  readonly port: number;
  /** The certificate to present, and those to send after it. */
  readonly as?: TestCertificate;
  readonly path?: readonly TestCertificate[];
}

/** Connects to the loopback and finishes the handshake; trusts any server. */
export async function openTlsClient({ as, path = [], ...options }: TlsClientOptions): Promise<TlsClient> {
  const identity = as === undefined ? {} : { cert: [as, ...path].map(({ pem }) => pem).join(""), key: as.key };
  const socket = connect({
    host: "127.0.0.1",
    servername: "localhost",
    rejectUnauthorized: false,
    ...identity,
    ...options,
  });
  // Before the handshake ends: with TLS 1.2 the session comes with it.
  const session = new Promise<Buffer>((resolve) => socket.once("session", resolve));
  await once(socket, "secureConnect");
  socket.setEncoding("utf8");
  return {
    socket,
    async get(headers = {}) {
      const lines = Object.entries({ host: "localhost", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
      const answer = readAnswer(socket);
      socket.write(`GET / HTTP/1.1\r\n${lines.join("")}\r\n`);
      return JSON.parse(await answer) as unknown;
    },
    session: () => session,
    async close() {
      if (socket.closed) return;
      const closed = once(socket, "close");
      socket.destroy();
      await closed;
    },
  };
}

/** The body of one answer whose length is stated, which Node's servers do for what is written at once. */
function readAnswer(socket: TLSSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = "";
    const onData = (chunk: string): void => {
      received += chunk;
      const [head = "", body] = received.split("\r\n\r\n");
      const length = /^content-length: (\d+)$/im.exec(head)?.[1];
      if (body === undefined || Buffer.byteLength(body) < Number(length)) return;
      settle();
      resolve(body);
    };
    const onEnd = (): void => {
      settle();
      reject(new Error("The connection ended before the answer."));
    };
    const settle = (): void => {
      socket.off("data", onData).off("close", onEnd).off("error", onEnd);
    };
    socket.on("data", onData).on("close", onEnd).on("error", onEnd);
  });
}
