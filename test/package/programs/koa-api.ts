// An API on Koa.
import Koa from "koa";
import { protect, type ProtectedState } from "certbound/koa";

export const app = new Koa<ProtectedState>();
app.use(protect({ backend: { baseUrl: "http://127.0.0.1:8705", serviceId: 1004, credentials: { accessToken: "…" } } }));
app.use((context) => {
  context.body = context.state.accessToken.clientId;
});
