import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import Koa from "koa";
import { createResourceServer } from "certbound";
import { protect, type ProtectedState } from "certbound/koa";

const credentials = { accessToken: process.env["SERVICE_ACCESS_TOKEN"] ?? "" };
const backend = { baseUrl: "http://127.0.0.1:8705", serviceId: 1004, credentials };
const resourceServer = createResourceServer({ backend, resource: "https://127.0.0.1:8443/" });

const app = new Koa<ProtectedState>();
const onRefusal = ({ code, reason }: { code: string; reason: string }) => console.log(`refused: ${code}: ${reason}`);
app.use(protect(resourceServer, { requirement: { scopes: ["read"] }, onRefusal }));
app.use((ctx) => void (ctx.body = `Hello, client ${ctx.state.accessToken.clientId ?? "unknown"}\n`));

const tls = { cert: readFileSync("try/server.pem"), key: readFileSync("try/server-key.pem") };
// Ask every client for a certificate and take any: which one a request needs, its token says. No CA is needed for that.
const asking = { requestCert: true, rejectUnauthorized: false };
const handle = app.callback();
const server = createServer({ ...tls, ...asking }, (request, response) => void handle(request, response));
server.listen(8443, "127.0.0.1", () => console.log("listening"));

export {};
