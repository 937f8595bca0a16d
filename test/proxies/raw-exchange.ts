import { connect, type ConnectionOptions } from "node:tls";
import type { TestCertificate } from "../support/certificates.ts";

/** One answer, and what the handshake was. */
export interface Exchange {
  /** 0: the connection ended without an answer. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly resumed: boolean;
  readonly protocol: string | null;
  /** The last session that the server has given out. */
  readonly session: Buffer | undefined;
}

export interface ExchangeRequest extends ConnectionOptions {
  readonly port: number;
  readonly as?: TestCertificate | undefined;
  /** Header lines, as they are. */
  readonly lines?: readonly string[];
}

/** Sends GET / with these lines over a connection of its own, and reads until the server ends it. */
export function exchange({ as, lines = [], ...options }: ExchangeRequest): Promise<Exchange> {
  const { promise, resolve, reject } = Promise.withResolvers<Exchange>();
  const identity = as === undefined ? {} : { cert: as.pem, key: as.key };
  const socket = connect({ host: "127.0.0.1", servername: "localhost", ...identity, ...options }, () => {
    const head = ["GET / HTTP/1.1", "Host: localhost", ...lines];
    if (!lines.some((line) => line.startsWith("Connection:"))) head.push("Connection: close");
    socket.write(`${head.join("\r\n")}\r\n\r\n`, "latin1");
  });
  let received = "";
  let session: Buffer | undefined;
  socket.on("session", (given) => (session = given));
  socket.setEncoding("latin1").on("data", (chunk: string) => (received += chunk));
  socket.on("error", (error: NodeJS.ErrnoException) => {
    // A server that has refused too long a request does not wait for the rest of it.
    if (received === "" && !["ECONNRESET", "EPIPE"].includes(error.code ?? "")) reject(error);
  });
  const resumedAnd = { resumed: false, protocol: null as string | null };
  socket.on("secureConnect", () => {
    resumedAnd.resumed = socket.isSessionReused();
    resumedAnd.protocol = socket.getProtocol();
  });
  socket.on("close", () => {
    resolve({ ...readAnswer(received), ...resumedAnd, session });
  });
  return promise;
}

function readAnswer(received: string): Pick<Exchange, "status" | "headers" | "body"> {
  const end = received.indexOf("\r\n\r\n");
  const [start = "", ...fields] = received.slice(0, Math.max(end, 0)).split("\r\n");
  const headers = fields.map((field) => {
    const colon = field.indexOf(":");
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const;
  });
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(start)?.[1] ?? 0),
    headers: Object.fromEntries(headers),
    body: received.slice(end + 4),
  };
}
