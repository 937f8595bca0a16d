import Koa from "koa";
import Router from "@koa/router";
import { createResourceServer } from "certbound";
import { protect, type ProtectedState, requireScopes } from "certbound/koa";

const backend = { baseUrl: "http://127.0.0.1:8705", serviceId: 1004, credentials: { accessToken: "…" } };
const resourceServer = createResourceServer({ backend, resource: "https://api.example.com" });

const app = new Koa<ProtectedState>();
app.use(protect(resourceServer, { requirement: { scopes: ["read"] } }));

const router = new Router<ProtectedState>();
router.get("/hello", (ctx) => {
  ctx.body = { hello: ctx.state.accessToken.clientId };
});
router.post("/payments", requireScopes("pay"), (ctx) => {
  ctx.body = { paid: true };
});
app.use(router.routes());

export {};
