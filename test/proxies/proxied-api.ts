import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createApiClient } from "../../src/api-client/index.ts";
import { createAuthority, createSelfSigned, serverAuth, type TestCertificate } from "../support/certificates.ts";
import type { ApiSettings } from "./api-process.ts";
import { type Lifetime, startProgram } from "./foreground-process.ts";
import type { ProxyKind } from "./proxy-kinds.ts";

/** An API behind a real proxy, and a backend that issues and introspects; each in a process of its own. */
export interface ProxiedApi {
  readonly port: number;
  /** Of the certificates of proxy and API, as PEM, and a file with it. */
  readonly ca: string;
  readonly caFile: string;
  readonly folder: string;
  /** Where the API itself listens. */
  readonly api: { readonly socket: string } | { readonly port: number };
  /** A token that is bound to the certificate. */
  readonly tokenFor: (certificate: TestCertificate) => Promise<string>;
}

const authority = createAuthority({ subject: "CN=API CA" });
const server = authority.issue({ subject: "CN=localhost", san: [{ dns: "localhost" }], eku: [serverAuth] });
const api = authority.issue({ subject: "CN=api.internal", san: [{ dns: "api.internal" }], eku: [serverAuth] });
const proxyIdentity = createSelfSigned({ subject: "CN=proxy" });

const serviceId = 4711;
const secrets = {
  API_SECRET: "api-secret-0123456789",
  ACCESS_TOKEN: "service-access-token-0123456789",
  CLIENT_SECRET: "client-secret-0123456789",
};
const path = process.env["PATH"] ?? "";

/** Starts all three; `change` makes something else of the shipped configuration. */
export async function startProxiedApi(
  lifetime: Lifetime,
  kind: ProxyKind,
  change: (configuration: string) => string = (same) => same,
): Promise<ProxiedApi> {
  const folder = await makeFolder(lifetime);
  const baseUrl = await startBackend(lifetime, folder);
  const listening = await startApi(lifetime, kind, folder, baseUrl);
  const client = createApiClient({
    baseUrl,
    serviceId,
    credentials: { accessToken: secrets.ACCESS_TOKEN },
    timeout: { attempt: 30_000, total: 30_000 },
  });
  lifetime.teardown(() => client.close());
  return {
    port: await startProxy(lifetime, kind, folder, listening, change),
    ca: authority.certificate.pem,
    caFile: join(folder, "ca.pem"),
    folder,
    api: listening,
    async tokenFor({ pem }) {
      const parameters = `grant_type=client_credentials&client_id=1&client_secret=${secrets.CLIENT_SECRET}`;
      const { accessToken } = await client.authToken({ parameters, clientCertificate: pem });
      if (accessToken === undefined) throw new Error("There is no token.");
      return accessToken;
    },
  };
}

async function makeFolder(lifetime: Lifetime): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  lifetime.teardown(() => rm(folder, { recursive: true, force: true }));
  // A proxy that gives up its rights must still find the API's socket.
  await chmod(folder, 0o711);
  await mkdir(join(folder, "state"), { mode: 0o755 });
  for (const [name, content] of Object.entries({
    "ca.pem": authority.certificate.pem,
    "server.pem": server.pem,
    "server.key": server.key,
    "server-with-key.pem": `${server.pem}${server.key}`,
    "proxy.pem": proxyIdentity.pem,
    "proxy.key": proxyIdentity.key,
  })) {
    await writeFile(join(folder, name), content, { mode: 0o600 });
  }
  return folder;
}

async function startBackend(lifetime: Lifetime, folder: string): Promise<string> {
  const configuration = join(folder, "backend.yaml");
  await writeFile(
    configuration,
    `listen: { port: 0 }
store: { sqlite: ":memory:" }
services:
  - apiKey: ${serviceId}
    apiSecret: { env: API_SECRET }
    serviceAccessTokens: [{ env: ACCESS_TOKEN }]
    issuer: https://as.example.com
    tlsClientCertificateBoundAccessTokens: true
    clients:
      - clientId: 1
        clientType: CONFIDENTIAL
        tokenAuthMethod: CLIENT_SECRET_POST
        clientSecret: { env: CLIENT_SECRET }
        tlsClientCertificateBoundAccessTokens: true
`,
  );
  const command = fileURLToPath(new URL("../../src/cli/certbound.ts", import.meta.url));
  const [, url = ""] = await startProgram(lifetime, {
    command: process.execPath,
    args: [...process.execArgv, command, "serve", "--config", configuration],
    env: { PATH: path, ...secrets },
    ready: /"listening":"([^"]+)"/,
  });
  return url;
}

async function startApi(
  lifetime: Lifetime,
  { source, header, hop }: ProxyKind,
  folder: string,
  baseUrl: string,
): Promise<ProxiedApi["api"]> {
  const socket = join(folder, "api.sock");
  const group = proxyGroup();
  const settings: ApiSettings = {
    source,
    ...(header !== undefined && { header }),
    from: [hop === "unix" ? "unix" : { certificate: proxyIdentity.pem }],
    listen: hop === "unix" ? { socket, ...(group !== undefined && { group }) } : { cert: api.pem, key: api.key },
    backend: { baseUrl, serviceId, accessToken: secrets.ACCESS_TOKEN },
  };
  const [, port] = await startProgram(lifetime, {
    command: process.execPath,
    args: [...process.execArgv, fileURLToPath(new URL("./api-process.ts", import.meta.url))],
    env: { PATH: path, API: JSON.stringify(settings) },
    ready: /^listening on (?:port (\d+)|its socket)$/,
  });
  return port === undefined ? { socket } : { port: Number(port) };
}

/** Started by root, nginx and Apache serve as this user of Debian's; by anyone else, as that one. */
const debianUser = "www-data";

function proxyGroup(): number | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return Number(execFileSync("id", ["-g", debianUser], { encoding: "utf8" }));
}

async function startProxy(
  lifetime: Lifetime,
  kind: ProxyKind,
  folder: string,
  listening: ProxiedApi["api"],
  change: (configuration: string) => string,
): Promise<number> {
  const shipped = await readFile(new URL(`../../examples/proxies/${kind.file}`, import.meta.url), "utf8");
  const changed = change(shipped);
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const variables = {
      LISTEN: `127.0.0.1:${port}`,
      LISTEN_PORT: String(port),
      TLS_CERT: join(folder, "server.pem"),
      TLS_KEY: join(folder, "server.key"),
      TLS_PEM: join(folder, "server-with-key.pem"),
      STATE_DIR: join(folder, "state"),
      API_CA: join(folder, "ca.pem"),
      API_NAME: "api.internal",
      PROXY_CERT: join(folder, "proxy.pem"),
      PROXY_KEY: join(folder, "proxy.key"),
      ...("socket" in listening ? { API_SOCKET: listening.socket } : { API_ADDRESS: `127.0.0.1:${listening.port}` }),
      APACHE_MODULES: "/usr/lib/apache2/modules",
      RUN_USER: debianUser,
      RUN_GROUP: debianUser,
      APACHE_RUN_USER: process.getuid?.() === 0 ? debianUser : (process.env["USER"] ?? "nobody"),
      APACHE_RUN_GROUP: debianUser,
      HOME: join(folder, "state"),
    };
    const file = join(folder, kind.file);
    await writeFile(file, kind.substituted === true ? substitute(changed, variables) : changed);
    try {
      const env = { PATH: `${path}:/usr/sbin:/usr/local/sbin`, ...variables };
      await startProgram(lifetime, { ...kind.program(file), env });
      return port;
    } catch (error) {
      if (String(error).includes("not found")) {
        throw new Error("A proxy is missing: install Debian's nginx, haproxy, apache2 and caddy.", { cause: error });
      }
      // Somebody else may have taken the port meanwhile.
      if (attempt === 5 || !/in use|cannot bind/i.test(String(error))) throw error;
    }
  }
}

/** What `envsubst` does with the variables that the file's head names for it; all others are the proxy's own. */
function substitute(configuration: string, variables: Readonly<Record<string, string>>): string {
  const [, list = ""] = /envsubst '([^']+)'/.exec(configuration) ?? [];
  const named = [...list.matchAll(/\$([A-Z_]+)/g)].map(([, name = ""]) => name);
  return named.reduce((text, name) => text.replaceAll(`\${${name}}`, () => variables[name] ?? ""), configuration);
}

/** Taken and given back: a proxy must be told its port. */
async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  return port;
}
