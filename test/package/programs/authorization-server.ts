// An authorization server with its backend in the same process or across the network, without knowing which.
import { createServer } from "node:https";
import pino from "pino";
import { createApiClient, type Operations } from "certbound/api-client";
import {
  basicResourceServers,
  introspectionEndpoint,
  nodeHandler,
  revocationEndpoint,
  tokenEndpoint,
} from "certbound/authorization-server";
import { openBackend, readConfiguration } from "certbound/backend";

const realm = "https://as.example.com";
const authenticate = basicResourceServers([{ id: "api", secret: "secret of the api" }]);

const inSameProcess: Operations = await openBackend({
  configuration: await readConfiguration({ path: "backend.yaml", env: {} }),
  log: pino(),
});
const acrossTheNetwork: Operations = createApiClient({
  baseUrl: "http://127.0.0.1:8705",
  serviceId: 1004,
  credentials: { apiSecret: "secret of the service" },
});

export const servers = [inSameProcess, acrossTheNetwork].map((backend) =>
  createServer(
    { requestCert: true, rejectUnauthorized: false },
    nodeHandler({
      "/token": tokenEndpoint({ backend, realm }),
      "/revoke": revocationEndpoint({ backend, realm }),
      "/introspect": introspectionEndpoint({ backend, realm, authenticate }),
    }),
  ),
);
