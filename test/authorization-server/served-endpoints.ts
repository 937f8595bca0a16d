import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { connect } from "node:tls";
import type { ExecutionContext } from "ava";
import {
  basicResourceServers,
  introspectionEndpoint,
  nodeHandler,
  revocationEndpoint,
  tokenEndpoint,
  type OnBackendFailure,
} from "../../src/authorization-server/index.ts";
import type { Operations } from "../../src/contract/operations.ts";
import { createAuthority, serverAuth } from "../support/certificates.ts";
import { basic, postForm, type HttpAnswer, type HttpCall } from "../support/https-request.ts";

type Asked = "authToken" | "authRevocation" | "authIntrospectionStandard";

/** What the backend says next: an answer, or the error that it rejects with. */
export interface BackendAnswer {
  readonly action: string;
  readonly responseContent?: string;
}

/** The three endpoints over HTTPS, with a backend that says what the test tells it to. */
export interface ServedEndpoints {
  readonly server: Server;
  readonly port: number;
  /** Without a path. */
  readonly url: string;
  /** What the backend was asked, in order. */
  readonly asked: { readonly operation: Asked; readonly request: unknown }[];
  /** What `onBackendFailure` was handed. */
  readonly failures: unknown[];
  /** POSTs a form to an endpoint that is proper in all that the call does not change. */
  readonly post: (path: EndpointPath, call?: Partial<HttpCall>, form?: string) => Promise<HttpAnswer>;
}

export const paths = ["/token", "/revoke", "/introspect"] as const;
type EndpointPath = (typeof paths)[number];

export const apiServer = { id: "api", secret: "secret-of-the-api", rsUri: "https://api.example.com" };
export const plainServer = { id: "plain api", secret: "secret:of+the%plain api" };
export const asApiServer = { authorization: basic(apiServer.id, apiServer.secret) };

const authority = createAuthority({ subject: "CN=Test server CA" });
const identity = authority.issue({ subject: "CN=localhost", san: [{ dns: "localhost" }], eku: [serverAuth] });

/** Serves them until the test ends. `say` is asked for each answer; an `Error` is rejected with. */
export async function serveEndpoints(
  t: ExecutionContext,
  say: () => BackendAnswer | Error = () => ({ action: "OK", responseContent: "{}" }),
  options: { readonly realm?: string; readonly onBackendFailure?: OnBackendFailure | null } = {},
): Promise<ServedEndpoints> {
  const asked: ServedEndpoints["asked"] = [];
  const failures: unknown[] = [];
  const ask = (operation: Asked) => (request: unknown) => {
    asked.push({ operation, request });
    const answer = say();
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve({ resultCode: "A000000", resultMessage: "[A000000] For the operator.", ...answer } as never);
  };
  const backend: Pick<Operations, Asked> = {
    authToken: ask("authToken"),
    authRevocation: ask("authRevocation"),
    authIntrospectionStandard: ask("authIntrospectionStandard"),
  };
  const { realm = "test", onBackendFailure = (error: unknown) => failures.push(error) } = options;
  const common = { backend, realm, ...(onBackendFailure === null ? {} : { onBackendFailure }) };
  const server = createServer(
    { cert: identity.pem, key: identity.key, requestCert: true, rejectUnauthorized: false },
    nodeHandler({
      "/token": tokenEndpoint(common),
      "/revoke": revocationEndpoint(common),
      "/introspect": introspectionEndpoint({ ...common, authenticate: basicResourceServers([apiServer, plainServer]) }),
    }),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  const { port } = server.address() as AddressInfo;
  const url = `https://localhost:${port}`;
  return {
    server,
    port,
    url,
    asked,
    failures,
    post: (path, { headers, ...call } = {}, form = "token=x") =>
      postForm(
        { ...call, url: url + path, headers: { ...(path === "/introspect" ? asApiServer : {}), ...headers } },
        form,
      ),
  };
}

/** Writes these octets to a connection of its own and reads until the server ends it. */
export async function converse(port: number, ...parts: readonly (string | Buffer)[]): Promise<HttpAnswer> {
  const socket = connect({ host: "127.0.0.1", port, servername: "localhost", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const closed = once(socket, "close");
  for (const part of parts) socket.write(part);
  await closed;
  const [head = "", body = ""] = Buffer.concat(chunks).toString("utf8").split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  const headers = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return {
    status: Number(statusLine.split(" ")[1]),
    headers: Object.fromEntries(headers) as HttpAnswer["headers"],
    body,
  };
}
