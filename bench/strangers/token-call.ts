import { Agent, request } from "node:http";
import { serviceAccessToken, serviceId } from "../../test/support/settings.ts";
import type { ForgedPath } from "./forged-paths.ts";

const agent = new Agent({ keepAlive: true });

/** Requests a token by `tls_client_auth`. `action` is the backend's, or `undefined` for a 503. */
export function tokenCall(
  port: number,
  clientId: number,
  { leaf, intermediates }: ForgedPath,
): Promise<{ readonly action: string | undefined }> {
  return apiCall(port, "/auth/token", {
    parameters: `grant_type=client_credentials&scope=read&client_id=${clientId}`,
    clientCertificate: leaf,
    clientCertificatePath: intermediates,
  });
}

/** Makes a call of the API over a kept-alive connection. */
export function apiCall(port: number, path: string, body: object): Promise<{ readonly action: string | undefined }> {
  const headers = { authorization: `Bearer ${serviceAccessToken}`, "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const asked = { agent, host: "127.0.0.1", port, method: "POST", path: `/api/${serviceId}${path}`, headers };
    const call = request(asked, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const answer = JSON.parse(Buffer.concat(chunks).toString()) as { action?: string };
        resolve({ action: answer.action });
      });
    });
    call.on("error", reject);
    call.end(JSON.stringify(body));
  });
}
