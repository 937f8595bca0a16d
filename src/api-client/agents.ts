import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { ResolvedConnection } from "./api-connection.ts";

/** Where connections to the backend come from; the agent's own options win over a request's. */
export interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

/** Opens agents under the connection's rules; the backend's certificate is verified whatever the environment says. */
export function openAgents(
  { socketPath, tls }: Partial<Pick<ResolvedConnection, "socketPath" | "tls">>,
  options: { readonly keepAlive: boolean; readonly maxSockets?: number },
): Agents {
  return {
    http: new HttpAgent({ ...options, ...(socketPath !== undefined && { socketPath }) }),
    // The agent's own options win over NODE_TLS_REJECT_UNAUTHORIZED, too.
    https: new HttpsAgent({ ...options, ...tls, rejectUnauthorized: true, minVersion: "TLSv1.2" }),
  };
}
