import fastify from "fastify";
import { createResourceServer } from "certbound";
import certbound, { accessTokenOf } from "certbound/fastify";
import { serverTimeouts } from "certbound/node";

const backend = { baseUrl: "http://127.0.0.1:8705", serviceId: 1004, credentials: { accessToken: "…" } };
const resourceServer = createResourceServer({ backend, resource: "https://api.example.com" });

const app = fastify({ https: { ...serverTimeouts, requestCert: true, rejectUnauthorized: false } });
await app.register(certbound, { resourceServer, requirement: { scopes: ["read"] } });
app.get("/hello", (request) => ({ hello: accessTokenOf(request).clientId }));
app.post("/payments", { config: { accessToken: { scopes: ["pay"] } } }, () => ({ paid: true }));
app.get("/health", { config: { accessToken: false } }, () => ({ healthy: true }));

export {};
