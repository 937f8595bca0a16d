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

const authority = createAuthority({ subject: "CN=API CA" });
const server = authority.issue({ subject: "CN=localhost", san: [{ dns: "localhost" }] });

/** Whose token was stolen. */
export const victim = createSelfSigned({ subject: "CN=victim" });
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

/** Serves it until the test ends, with or without TLS, and writes the files that a probe needs. */
export async function startProbed(
  t: ExecutionContext,
  listener: RequestListener,
  { tls = true }: { readonly tls?: boolean } = {},
): Promise<Probed> {
  const requests: IncomingMessage[] = [];
  const counting: RequestListener = (request, response) => {
    requests.push(request);
    listener(request, response);
  };
  const options = { cert: server.pem, key: server.key, requestCert: true, rejectUnauthorized: false };
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
  const other = createSelfSigned({ subject: "CN=stranger" });
  const files = {
    "victim.pem": victim.pem,
    "victim.key": victim.key,
    "both.pem": `${victim.pem}${victim.key}`,
    "stranger.pem": `${other.pem}${other.key}`,
    "stranger.key": other.key,
    "ca.pem": authority.certificate.pem,
    "token.txt": `${token}\n`,
    "empty.txt": "",
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}
