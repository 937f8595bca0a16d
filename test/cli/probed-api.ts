import { hash } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import type { ExecutionContext } from "ava";
import { createAuthority, createSelfSigned } from "../support/certificates.ts";
import { type Outcome, runHere } from "./run-certbound.ts";

const authority = createAuthority({ subject: "CN=API CA" });
const server = authority.issue({ subject: "CN=localhost", san: [{ dns: "localhost" }] });

/** Whose token was stolen. */
export const victim = createSelfSigned({ subject: "CN=victim" });
/** Somebody else, in `stranger.pem`. */
export const stranger = createSelfSigned({ subject: "CN=stranger" });
export const token = "a-token-that-was-stolen";

/** What an API takes for the client's certificate: its thumbprint, whatever the API does to find it. */
export type Reader = (request: IncomingMessage) => string | undefined;

/** The certificate of the handshake, which nobody can forge. */
export const bySocket: Reader = ({ socket }) => {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  return certificate && hash("sha256", certificate.raw, "base64url");
};

/** An API that opens to the token with the victim's certificate, however it comes to believe in that. */
export function apiThatReads(read: Reader, opened = 200): RequestListener {
  return (request, response) => {
    const good = request.headers.authorization === `Bearer ${token}` && read(request) === victim.x5tS256;
    response.writeHead(good ? opened : 401, good ? {} : { "www-authenticate": 'Bearer error="invalid_token"' });
    response.end("what only the victim may see");
  };
}

export interface Probed {
  readonly url: string;
  /** Options that every probe of it needs. */
  readonly args: readonly string[];
  readonly folder: string;
  readonly requests: () => readonly IncomingMessage[];
}

/** With `known`, its TLS takes these certificates and no others, and not none. Serves it until the test ends, with or without TLS, and writes the files that a probe needs. */
export async function startProbed(
  t: ExecutionContext,
  listener: RequestListener,
  { tls = true, known }: { readonly tls?: boolean; readonly known?: readonly string[] } = {},
): Promise<Probed> {
  const requests: IncomingMessage[] = [];
  const counting: RequestListener = (request, response) => {
    requests.push(request);
    listener(request, response);
  };
  const asking = known === undefined ? { rejectUnauthorized: false } : { rejectUnauthorized: true, ca: [...known] };
  const options = { cert: server.pem, key: server.key, requestCert: true, ...asking };
  const api: Server = tls ? createTlsServer(options, counting) : createServer(counting);
  await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    api.closeAllConnections();
    api.close();
  });
  const folder = await writeFiles(t);
  const own = tls ? ["--key", join(folder, "victim.key"), "--ca", join(folder, "ca.pem")] : ["--no-control"];
  const { port } = api.address() as AddressInfo;
  return {
    url: tls ? `https://localhost:${port}/accounts` : `http://127.0.0.1:${port}/accounts`,
    args: ["--certificate", join(folder, "victim.pem"), ...own],
    folder,
    requests: () => requests,
  };
}

async function writeFiles(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const files = {
    "victim.pem": victim.pem,
    "victim.key": victim.key,
    "both.pem": `${victim.pem}${victim.key}`,
    "stranger.pem": `${stranger.pem}${stranger.key}`,
    "stranger.key": stranger.key,
    "ca.pem": authority.certificate.pem,
    "token.txt": `${token}\n`,
    "empty.txt": "",
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

/** The environment of a thief who has the token. */
export const env = { PATH: process.env["PATH"] ?? "", CERTBOUND_PROBE_TOKEN: token };

/** What `--json` writes. */
export interface Report {
  readonly url: string;
  readonly verdict: string;
  readonly reason?: string;
  readonly controlled: boolean;
  readonly comparisons: readonly { readonly asked: string; readonly answer: string }[];
  readonly dialects: readonly {
    readonly name: string;
    readonly tried: number;
    readonly believed: readonly string[];
    readonly unclear: readonly string[];
  }[];
  readonly requests: number;
}

/** Runs the command here, and reads its report. */
export async function probeOf(
  url: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = env,
): Promise<Outcome & { readonly report: Report }> {
  const outcome = await runHere(["probe", url, ...args, "--json"], environment);
  return { ...outcome, report: JSON.parse(outcome.stdout || "{}") as Report };
}

/** The dialects of which something was believed. */
export const believedOf = ({ dialects: results }: Report): string[] =>
  results.filter(({ believed }) => believed.length > 0).map(({ name }) => name);

/** base64url of the SHA-256, as a careless API computes it: nothing here is the probe's. */
export const thumbprint = (octets: Buffer): string => hash("sha256", octets, "base64url");
export const ofBase64 = (text: string): string => thumbprint(Buffer.from(text, "base64"));
export const ofClientCert = (value = ""): string => ofBase64(value.replaceAll(":", ""));

/** Names and values as they came. */
export const sent = ({ rawHeaders }: IncomingMessage): [string, string][] =>
  rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ""]] : []));

/** Each value that came with a header of this name. */
export const valuesOf = (request: IncomingMessage, wanted: string): string[] =>
  sent(request).flatMap(([name, value]) => (name.toLowerCase() === wanted ? [value] : []));

/** Reads the certificate from a header that anybody may send, else from the handshake. */
export function believing(header: string, read: (value: string) => string): Reader {
  return (request) => {
    const value = request.headers[header];
    if (typeof value !== "string") return bySocket(request);
    try {
      return read(value);
    } catch {
      return undefined;
    }
  };
}
