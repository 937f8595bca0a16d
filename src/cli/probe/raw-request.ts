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
 * Creates a self-signed certificate with a new key, without writing a file.
 *
 * Rejects if `path` has no `openssl`.
 */
export async function makeStranger(path: string | undefined): Promise<Stranger> {
  const { stdout } = await promisify(execFile)("openssl", [...args, "-keyout", "-", "-out", "-"], {
    env: path === undefined ? {} : { PATH: path },
    timeout: 10_000,
  });
  return readStranger(stdout);
}

/** Reads a certificate and its key from one PEM text. Throws if the certificate is unreadable. */
export function readStranger(pem: string): Stranger {
  return { cert: pem, key: pem, der: new X509Certificate(pem).raw };
}

/** The address of the API. */
export interface ProbedAddress {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  /** Trust anchors for the API (PEM); default: the system's. */
  readonly ca?: string | undefined;
  /** Milliseconds for one request, including its connection. */
  readonly timeout: number;
}

/** A certificate and its key, as PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** The head of a response, or an error. `reached`: the request was sent before the error. */
export type RawAnswer =
  { readonly status: number; readonly challenge: string } | { readonly error: string; readonly reached: boolean };

/** In octets: more than the head of any response. */
const largestHead = 65_536;

/**
 * Sends these header lines unchanged over a new connection, and reads the head of the response.
 *
 * HTTP/1.1. Never rejects. It is not an HTTP client, because the lines may violate HTTP's grammar.
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

/** Status and challenge of the final response, once its head is complete; skips interim responses (1xx). */
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
