import express from "express";
import { createResourceServer } from "certbound";
import { accessTokenOf, protect, requireScopes } from "certbound/express";

const backend = { baseUrl: "http://127.0.0.1:8705", serviceId: 1004, credentials: { accessToken: "…" } };
const resourceServer = createResourceServer({ backend, resource: "https://api.example.com" });

const app = express();
app.use(protect(resourceServer, { requirement: { scopes: ["read"] } }));
app.get("/hello", (request, response) => {
  response.json({ hello: accessTokenOf(request).clientId });
});
app.post("/payments", requireScopes("pay"), (_request, response) => {
  response.json({ paid: true });
});

export {};
