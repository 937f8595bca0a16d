/**
 * An API that reports its decisions to its operator: log lines, metrics on a port of their own, and spans.
 *
 *   BACKEND_URL=http://127.0.0.1:8705 SERVICE_ID=3693555439 SERVICE_ACCESS_TOKEN=… \
 *   TLS_CERT=server.pem TLS_KEY=server-key.pem PORT=8443 METRICS_PORT=9464 \
 *   npm run example -- examples/observed-api.ts
 *
 * The process's OpenTelemetry SDK exports the spans; without an SDK they are dropped.
 */
import { constants } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer as createMetricsServer } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { trace } from "@opentelemetry/api";
import { createResourceServer } from "certbound";
import { protect, type ProtectedState } from "certbound/koa";
import { serverTimeouts } from "certbound/node";
import { opentelemetryObserver } from "certbound/opentelemetry";
import { prometheusObserver } from "certbound/prometheus";
import Koa from "koa";
import { pino } from "pino";
import { collectDefaultMetrics, Registry } from "prom-client";

const setting = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`The environment variable ${name} is missing.`);
  return value;
};

const log = pino();
const registry = new Registry();
collectDefaultMetrics({ register: registry });
const backend = {
  baseUrl: setting("BACKEND_URL"),
  serviceId: Number(setting("SERVICE_ID")),
  credentials: { accessToken: setting("SERVICE_ACCESS_TOKEN") },
};

// docs/observing.md shows this part.
const levels = { granted: "debug", refused: "info", unavailable: "error" } as const;

const resourceServer = createResourceServer({
  backend,
  onDecision: [
    (decision) => {
      log[levels[decision.outcome]]({ decision }, "access decided");
    },
    prometheusObserver({ registry }),
    opentelemetryObserver({ tracer: trace.getTracer("accounts-api") }),
  ],
  onWarning: ({ code, message, cause }) => {
    log.warn({ code, err: cause }, message);
  },
});
// To here.

const app = new Koa<ProtectedState>();
app.use(protect(resourceServer, { requirement: { scopes: ["read"] } }));
app.use((ctx) => {
  ctx.body = { hello: ctx.state.accessToken.clientId };
});

const handle = app.callback();
const api = createServer(
  {
    cert: readFileSync(setting("TLS_CERT")),
    key: readFileSync(setting("TLS_KEY")),
    minVersion: "TLSv1.2",
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ...serverTimeouts,
    requestCert: true,
    rejectUnauthorized: false,
  },
  (request, response) => void handle(request, response),
);

// Metrics are for the operator: serve them on an address that callers of the API cannot reach.
const metrics = createMetricsServer(serverTimeouts, (_, response) => {
  registry.metrics().then(
    (text) => response.writeHead(200, { "Content-Type": registry.contentType }).end(text),
    () => response.writeHead(500).end(),
  );
});

metrics.listen(Number(process.env["METRICS_PORT"] ?? 9464), "127.0.0.1", () => {
  api.listen(Number(process.env["PORT"] ?? 8443), "127.0.0.1", () => {
    const listening = `https://127.0.0.1:${(api.address() as AddressInfo).port}`;
    log.info({ listening, metrics: `http://127.0.0.1:${(metrics.address() as AddressInfo).port}` });
  });
});

process.once("SIGTERM", () => {
  metrics.close();
  api.close(() => void resourceServer.close());
  api.closeIdleConnections();
});
