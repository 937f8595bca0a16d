/**
 * An API behind a proxy: a program of its own, as `examples/proxies/README.md` has it.
 *
 * Answers what it has seen, too: in `x-seen` the certificate that its source found, in `x-received` the names of the
 * headers that arrived.
 */
import { chmodSync, chownSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import {
  apache,
  type CertificateSource,
  createResourceServer,
  nginx,
  rfc9440,
  type TrustedProxy,
  trustedProxies,
} from "certbound";
import { protect, type ProtectedState } from "certbound/koa";
import Koa from "koa";

/** What the program is told, as JSON, in the variable `API`. */
export interface ApiSettings {
  readonly source: keyof typeof sources;
  readonly header?: string;
  readonly from: readonly TrustedProxy[];
  /** A unix socket for the proxy's group, or TLS on the loopback. */
  readonly listen:
    { readonly socket: string; readonly group?: number } | { readonly cert: string; readonly key: string };
  readonly backend: { readonly baseUrl: string; readonly serviceId: number; readonly accessToken: string };
}

const sources = { apache, nginx, rfc9440 };
const { source, header, from, listen, backend } = JSON.parse(process.env["API"] ?? "") as ApiSettings;

const options = { from: trustedProxies(from), ...(header !== undefined && { header }) };
const certificate = (sources[source] as (given: typeof options) => CertificateSource)(options);
const { baseUrl, serviceId, accessToken } = backend;
const resourceServer = createResourceServer({
  backend: { baseUrl, serviceId, credentials: { accessToken }, timeout: { attempt: 30_000, total: 30_000 } },
});

const app = new Koa<ProtectedState>();
app.use(async (ctx, next) => {
  const seen = certificate(ctx.req);
  ctx.set("x-seen", seen === undefined ? "none" : "x5tS256" in seen ? seen.x5tS256 : `unreadable: ${seen.unreadable}`);
  ctx.set("x-received", ctx.req.rawHeaders.filter((_, index) => index % 2 === 0).join(" "));
  await next();
});
app.use(protect(resourceServer, { certificate }));
app.use((ctx) => {
  ctx.body = "what only the token's client may see";
});
const handle = app.callback();
const listener: RequestListener = (request, response) => void handle(request, response);

if ("socket" in listen) {
  const { socket, group } = listen;
  createServer(listener).listen(socket, () => {
    // The proxy's group, and nobody else, may open it: who can is believed.
    if (group !== undefined) chownSync(socket, process.getuid?.() ?? 0, group);
    chmodSync(socket, 0o660);
    process.stdout.write("listening on its socket\n");
  });
} else {
  const server = createTlsServer({ ...listen, requestCert: true, rejectUnauthorized: false }, listener);
  server.listen(0, "127.0.0.1", () => {
    process.stdout.write(`listening on port ${(server.address() as AddressInfo).port}\n`);
  });
}
