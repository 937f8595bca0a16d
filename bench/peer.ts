import { secretOf } from "../test/support/settings.ts";
import { secretClientId, type BoundClient, type Deployment } from "./deployment.ts";
import { callOnce, type Call } from "./measurement/load.ts";
import { startServer, type Server } from "./measurement/server.ts";

/** Starts oidc-provider with the deployment's clients. */
export function startPeer({ clients }: Deployment): Promise<Server> {
  return startServer("oidc-provider", {
    clients,
    secretClient: { id: secretClientId, secret: secretOf(secretClientId) },
  });
}

const form = { "Content-Type": "application/x-www-form-urlencoded" };
const secret = `client_id=${secretClientId}&client_secret=${secretOf(secretClientId)}`;

/** Its token endpoint, for a client with a secret. */
export const peerSecretCall: Call = {
  path: "/token",
  headers: form,
  body: `grant_type=client_credentials&scope=read&${secret}`,
};

/** Its token endpoint, for a client with a registered certificate. */
export function peerCertificateCall({ clientId, pem }: BoundClient): Call {
  return {
    path: "/token",
    headers: { ...form, "X-Client-Certificate": encodeURIComponent(pem) },
    body: `grant_type=client_credentials&scope=read&client_id=${clientId}`,
  };
}

/** Its introspection of certificate-bound tokens, issued here. Few, since its memory has room for a thousand objects. */
export async function peerIntrospectionCalls(peer: Server, { clients }: Deployment): Promise<Call[]> {
  const calls: Call[] = [];
  for (const client of clients) {
    for (let count = 0; count < 20; count++) {
      const { access_token: token } = await callOnce(peer.port, peerCertificateCall(client));
      calls.push({ path: "/token/introspection", headers: form, body: `token=${String(token)}&${secret}` });
    }
  }
  return calls;
}
