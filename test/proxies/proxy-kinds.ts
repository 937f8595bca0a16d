import type { ApiSettings } from "./api-process.ts";
import type { Program } from "./foreground-process.ts";

/** A proxy that is run with a configuration of `examples/proxies/`, and how the API behind it reads the certificate. */
export interface ProxyKind {
  readonly file: string;
  readonly program: (configuration: string) => Omit<Program, "env">;
  /** Its variables are filled in by `envsubst`, not by the proxy. */
  readonly substituted?: true;
  readonly source: ApiSettings["source"];
  readonly header?: string;
  readonly hop: "unix" | "mutual TLS";
  /** What a client gets whose certificate has expired: what is the API's, a refusal, or no handshake at all. */
  readonly expired: 200 | 400 | "alert";
  /** What a careless operator makes of the file, and the dialect that is believed then. */
  readonly careless: { readonly change: (configuration: string) => string; readonly dialect: string };
}

const nginxProgram = (configuration: string): Omit<Program, "env"> => ({
  command: "nginx",
  args: ["-e", "stderr", "-c", configuration, "-g", "daemon off;"],
  ready: /start worker process \d+/,
});

const nginx = {
  program: nginxProgram,
  substituted: true,
  source: "nginx",
  header: "X-SSL-Cert",
  expired: 400,
  careless: {
    // "Only overwrite it when there is something to write."
    change: (configuration: string) =>
      configuration
        .replace(
          "upstream api {",
          'map $ssl_client_escaped_cert $sent { "" $http_x_ssl_cert; default $ssl_client_escaped_cert; }\n$&',
        )
        .replace("X-SSL-Cert $ssl_client_escaped_cert;", "X-SSL-Cert $sent;"),
    dialect: "nginx",
  },
} as const;

/** Each of them, by name. */
export const proxyKinds = {
  nginx: { ...nginx, file: "nginx.conf", hop: "unix" },
  nginxMutualTls: { ...nginx, file: "nginx-mutual-tls.conf", hop: "mutual TLS" },
  haproxy: {
    file: "haproxy.cfg",
    program: (configuration) => ({
      command: "haproxy",
      args: ["-W", "-f", configuration],
      ready: /Loading success/,
    }),
    source: "rfc9440",
    hop: "unix",
    expired: 200,
    careless: {
      change: (configuration) => configuration.replace(/http-request del-header Client-Cert$/m, ""),
      dialect: "rfc9440",
    },
  },
  apache: {
    file: "apache.conf",
    program: (configuration) => ({
      command: "apache2",
      args: ["-DFOREGROUND", "-f", configuration, "-c", 'ErrorLog "|$cat 1>&2"'],
      ready: /resuming normal operations/,
    }),
    source: "apache",
    header: "X-SSL-Cert",
    hop: "unix",
    expired: "alert",
    careless: {
      change: (configuration) => configuration.replace("RequestHeader unset X-SSL-Cert early", ""),
      dialect: "apache",
    },
  },
  caddy: {
    file: "Caddyfile",
    program: (configuration) => ({
      command: "caddy",
      args: ["run", "--config", configuration, "--adapter", "caddyfile"],
      ready: /serving initial configuration/,
    }),
    source: "rfc9440",
    hop: "unix",
    expired: 200,
    careless: {
      change: (configuration) => configuration.replace("request_header -Client-Cert*", ""),
      dialect: "rfc9440",
    },
  },
} as const satisfies Record<string, ProxyKind>;
