import { send } from "../support/https-request.ts";
import { env } from "./a-folder.ts";

export interface ConfigurationText {
  /** Members of `listen` beside an address of the loopback. */
  readonly listen?: string;
  readonly clients: readonly number[];
  readonly more?: string;
}

const client = (id: number): string =>
  `      - { clientId: ${id}, clientName: client-${id}, clientType: CONFIDENTIAL, tokenAuthMethod: CLIENT_SECRET_BASIC, clientSecret: { file: client-c.secret } }\n`;

/** A configuration whose clients have a secret, and tokens that are not bound. */
export function secretClients({ listen = "port: 0", clients, more = "" }: ConfigurationText): string {
  return `
listen: { host: 127.0.0.1, ${listen} }
store: { sqlite: store.db }
secretKey: { env: CERTBOUND_SECRET_KEY }
services:
  - apiKey: 1004
    serviceName: main
    apiSecret: { env: CERTBOUND_API_SECRET }
    issuer: https://as.example.com
    clients:${clients.length === 0 ? " []\n" : `\n${clients.map(client).join("")}`}${more}`;
}

export const authorization = `Basic ${Buffer.from(`1004:${env["CERTBOUND_API_SECRET"] ?? ""}`).toString("base64")}`;

/** Calls the API of service 1004; the answer's members. */
export async function callApi(
  url: string,
  path: string,
  body: object,
  options: Partial<Parameters<typeof send>[0]> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const { status, body: text } = await send({
    ...options,
    url: `${url}/api${path}`,
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (status !== 200) throw new Error(`${path} answered ${status}: ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}

/** A token of that client, or the result code of the refusal. */
export async function tokenOf(url: string, clientId: number): Promise<string> {
  const answer = await callApi(url, "/auth/token", {
    parameters: "grant_type=client_credentials",
    clientId: String(clientId),
    clientSecret: "the-secret-of-client-c",
  });
  return String(answer["accessToken"] ?? answer["resultCode"]);
}

export async function isActive(url: string, token: string): Promise<boolean> {
  const answer = await callApi(url, "/auth/introspection/standard", { parameters: `token=${token}` });
  return (JSON.parse(String(answer["responseContent"])) as { active: boolean }).active;
}
