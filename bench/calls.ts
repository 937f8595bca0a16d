import { secretOf, serviceAccessToken, serviceId } from "../test/support/settings.ts";
import { benchToken, clientOfToken, secretClientId, type Deployment } from "./deployment.ts";
import type { Call } from "./measurement/load.ts";

/** The number of introspected tokens: too many for a cache of pages or certificates. */
const asked = 8000;

/** Numbers of tokens, spread over the store. */
function tokenNumbers({ tokens }: Deployment): number[] {
  const step = Math.max(1, Math.floor(tokens / asked));
  return Array.from({ length: Math.min(asked, tokens) }, (_, index) => index * step);
}

/** `auth/introspection` with bound tokens and their certificates. */
export function introspectionCalls(deployment: Deployment): Call[] {
  return tokenNumbers(deployment).map((number) =>
    apiCall("/auth/introspection", {
      token: benchToken(number),
      scopes: ["read"],
      clientCertificate: clientOfToken(deployment, number).pem,
    }),
  );
}

/** `auth/introspection/standard` for the same tokens. */
export function standardIntrospectionCalls(deployment: Deployment): Call[] {
  return tokenNumbers(deployment).map((number) =>
    apiCall("/auth/introspection/standard", {
      parameters: `token=${benchToken(number)}&token_type_hint=access_token`,
    }),
  );
}

/** `auth/token` of a client with a secret. */
export function secretTokenCalls(): Call[] {
  const secret = `client_id=${secretClientId}&client_secret=${secretOf(secretClientId)}`;
  return [apiCall("/auth/token", { parameters: `grant_type=client_credentials&scope=read&${secret}` })];
}

/** `auth/token` of clients that authenticate with a registered certificate. */
export function certificateTokenCalls({ clients }: Deployment): Call[] {
  return clients.map(({ clientId, pem }) =>
    apiCall("/auth/token", {
      parameters: `grant_type=client_credentials&scope=read&client_id=${clientId}`,
      clientCertificate: pem,
    }),
  );
}

function apiCall(path: string, request: object): Call {
  return {
    path: `/api/${serviceId}${path}`,
    headers: {
      Authorization: `Bearer ${serviceAccessToken}`,
      "Content-Type": "application/json",
      Accept: "application/json",
    },
    body: JSON.stringify(request),
  };
}
