import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { promisify } from "node:util";

/** A certificate with its key, and its DER. */
export type Stranger = Identity & { readonly der: Uint8Array };

const args = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=certbound-probe".split(
  " ",
);

/**
 * Makes a self-signed certificate that nobody knows, with a fresh key; nothing is written to a file.
 *
 * Rejects when there is no `openssl` in `path`.
 */
export async function makeStranger(path: string | undefined): Promise<Stranger> {
  const { stdout } = await promisify(execFile)("openssl", [...args, "-keyout", "-", "-out", "-"], {
    env: path === undefined ? {} : { PATH: path },
    timeout: 10_000,
  });
  return readStranger(stdout);
}

/** Reads a certificate and its key from one PEM text; throws when one is missing, or they do not belong together. */
export function readStranger(pem: string): Stranger {
  return { cert: pem, key: pem, der: new X509Certificate(pem).raw };
}

/** Where the API is. */
export interface ProbedAddress {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  /** Whom to trust as the API, as PEM; the system's authorities when left out. */
  readonly ca?: string | undefined;
  /** Milliseconds for one request, its connection included. */
  readonly timeout: number;
}

/** A certificate and its key, as PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** What came back: the head of an answer, or why there is none. `reached`: the request was sent before it failed. */
export type RawAnswer =
  { readonly status: number; readonly challenge: string } | { readonly error: string; readonly reached: boolean };

/** More than any head that a server sends. */
const largestHead = 65_536;

/**
 * Sends these header lines, as they are, over a connection of its own, and reads the head of the answer.
 *
 * HTTP/1.1; resolves in any case. Not a client of HTTP's grammar on purpose: what it sends may break it.
 *
 * @example await sendRawRequest(endpoint, ["GET / HTTP/1.1", "Host: api.example.com", "Connection: close"])
 */
export function sendRawRequest(
  endpoint: ProbedAddress,
  lines: readonly string[],
  identity?: Identity,
): Promise<RawAnswer> {
  const { promise, resolve } = Promise.withResolvers<RawAnswer>();
  let received = "";
  let reached = false;
  const socket = open(endpoint, identity, () => {
    reached = true;
    socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  });
  const timer = setTimeout(() => {
    settle({ error: "ETIMEDOUT", reached });
  }, endpoint.timeout);
  const settle = (answer: RawAnswer): void => {
    clearTimeout(timer);
    socket.destroy();
    resolve(answer);
  };
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    received += chunk;
    const answer = readHead(received);
    if (answer !== undefined) settle(answer);
    else if (received.length > largestHead) settle({ error: "not HTTP", reached });
  });
  socket.on("error", ({ code = "connection failed" }: NodeJS.ErrnoException) => {
    settle({ error: code, reached });
  });
  socket.on("close", () => {
    settle({ error: "closed", reached });
  });
  return promise;
}

function open({ tls, host, port, ca }: ProbedAddress, identity: Identity | undefined, onOpen: () => void): Socket {
  if (!tls) return connectTcp({ host, port }, onOpen);
  const name = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ host, port, ...name, ...(ca !== undefined && { ca }), ...identity }, onOpen);
}

/** The status and challenge of the final answer, once its head is there; interim answers (1xx) are passed over. */
function readHead(text: string): RawAnswer | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const [start = "", ...fields] = text.slice(0, end).split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(start)?.[1] ?? NaN);
  if (Number.isNaN(status)) return { error: "not HTTP", reached: true };
  if (status < 200) return readHead(text.slice(end + 4));
  const challenges = fields.filter((field) => /^www-authenticate:/i.test(field));
  return { status, challenge: challenges.join(", ") };
}
