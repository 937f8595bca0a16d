/** A peer: oidc-provider with its tokens in memory and the same clients as ours. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";
import type { BoundClient } from "../deployment.ts";
import { serve } from "./serve.ts";

interface Argument {
  readonly clients: readonly BoundClient[];
  readonly secretClient: { readonly id: number; readonly secret: string };
}

const ofClientCredentials = { grant_types: ["client_credentials"], redirect_uris: [], response_types: [] };

await serve(async ({ clients, secretClient }: Argument) => {
  const provider = new Provider("http://127.0.0.1", {
    clients: [
      {
        ...ofClientCredentials,
        client_id: String(secretClient.id),
        client_secret: secretClient.secret,
        token_endpoint_auth_method: "client_secret_post",
      },
      ...clients.map(({ clientId, jwks }) => ({
        ...ofClientCredentials,
        client_id: String(clientId),
        token_endpoint_auth_method: "self_signed_tls_client_auth",
        jwks: JSON.parse(jwks) as object,
        tls_client_certificate_bound_access_tokens: true,
      })),
    ],
    clientAuthMethods: ["client_secret_post", "self_signed_tls_client_auth"],
    scopes: ["read", "write"],
    ttl: { ClientCredentials: 3600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        selfSignedTlsClientAuth: true,
        // As a proxy passes it on: the PEM text, percent-encoded.
        getCertificate: ({ req }: { req: IncomingMessage }) => {
          const header = req.headers["x-client-certificate"];
          return typeof header === "string" ? decodeURIComponent(header) : undefined;
        },
      },
    },
  });
  const server = createServer(provider.callback());
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { port: (server.address() as AddressInfo).port };
});
