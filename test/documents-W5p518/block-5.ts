import express from "express";
import { createResourceServer, protectedResourceMetadata } from "certbound";
import { protect, serveMetadata } from "certbound/express";

const resource = "https://api.example.com/v1";
const metadata = protectedResourceMetadata({
  resource,
  authorization_servers: ["https://as.example.com"],
  scopes_supported: ["read", "pay"],
  resource_name: "Example API",
});

const backend = { baseUrl: "http://127.0.0.1:8705", serviceId: 1004, credentials: { accessToken: "…" } };
const app = express();
app.use(serveMetadata(metadata));
app.use(protect(createResourceServer({ backend, resource }), { resourceMetadata: metadata }));

export {};
