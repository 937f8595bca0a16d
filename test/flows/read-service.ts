import type { Configuration } from "../../src/backend/configuration/configuration.ts";
import { configurationFrom } from "../../src/backend/configuration/read-configuration.ts";
import { apiSecret, secretOf, serviceAccessToken, serviceId } from "../support/settings.ts";

/** A configuration read as a file is, with the service of most tests and its client 1, and whatever members are given. */
export function readService(service: object = {}, client: object = {}): Promise<Configuration> {
  const clients = [
    {
      clientId: 1,
      clientType: "CONFIDENTIAL",
      tokenAuthMethod: "CLIENT_SECRET_BASIC",
      clientSecret: { env: "CLIENT_SECRET" },
      ...client,
    },
  ];
  const services = [
    {
      apiKey: serviceId,
      apiSecret: { env: "API_SECRET" },
      serviceAccessTokens: [{ env: "SERVICE_ACCESS_TOKEN" }],
      issuer: "https://as.example.com",
      clients,
      ...service,
    },
  ];
  const env = { API_SECRET: apiSecret, SERVICE_ACCESS_TOKEN: serviceAccessToken, CLIENT_SECRET: secretOf(1) };
  return configurationFrom({ listen: { port: 0 }, store: { sqlite: ":memory:" }, services }, { path: "inline", env });
}
