import { Buffer } from "node:buffer";
import { isLoopback } from "../oauth/uri.ts";
import { optionError } from "../options/option-error.ts";
import { refuseUnknownOptions } from "../options/refuse-unknown-options.ts";

/** The backend's address and the caller's credentials. */
export interface ApiConnection {
  /** Everything before `/api`: `https://backend.example.com`, or `unix:/run/certbound.sock`. */
  readonly baseUrl: string;
  /** The service's number (its API key). */
  readonly serviceId: number;
  /** A service's secret uses the v2 paths with Basic, a service access token the v3 paths with Bearer. */
  readonly credentials: { readonly apiSecret: string } | { readonly accessToken: string };
  /** Milliseconds for one attempt (default 1,000) and for all attempts together (default 2,000). */
  readonly timeout?: { readonly attempt?: number; readonly total?: number };
  /** Trust anchors to verify the backend with, instead of the system's, and a client certificate; all PEM. */
  readonly tls?: { readonly ca?: string | readonly string[]; readonly cert?: string; readonly key?: string };
  /** Maximum number of open connections (default 64). */
  readonly maxSockets?: number;
  /** Allows plain HTTP to another machine, for credentials and tokens; only for a network that encrypts by itself. */
  readonly allowInsecure?: boolean;
}

/** A validated connection, with defaults. */
export interface ResolvedConnection {
  readonly tls: { readonly ca?: string | string[]; readonly cert?: string; readonly key?: string } | undefined;
  readonly socketPath: string | undefined;
  readonly attemptTimeout: number;
  readonly totalTimeout: number;
  readonly maxSockets: number;
  readonly authorization: string;
  /** The URL of an operation; `none`: the operation has no service in its path. */
  url(path: string, caller: "service" | "none"): string;
}

/** The message for an empty option, typically from `process.env["…"] ?? ""` with the variable not set. */
export const isEmpty = "is empty: is the environment variable that it comes from not set?";

const members = ["baseUrl", "serviceId", "credentials", "timeout", "tls", "maxSockets", "allowInsecure"];

/**
 * Validates the options of a connection. Throws a `TypeError` that names the wrong option.
 *
 * Plain HTTP is accepted for this machine only, because RFC 7662 §2 requires TLS. Certificates are always verified.
 *
 * @example resolveConnection({ baseUrl: "http://127.0.0.1:8705", serviceId: 1, credentials: { apiSecret } })
 */
export function resolveConnection(connection: ApiConnection): ResolvedConnection {
  refuseUnknownOptions(connection, members);
  const { serviceId, tls } = connection;
  if (!Number.isSafeInteger(serviceId) || serviceId <= 0) throw optionError("serviceId", "must be a positive integer");
  const { base, socketPath, encrypted } = readBaseUrl(connection);
  if (tls !== undefined && !encrypted) throw optionError("tls", "needs an https: baseUrl");
  const { authorization, servicePath } = readCredentials(connection);
  const totalTimeout = positive("timeout.total", connection.timeout?.total ?? 2000);
  return {
    tls: encrypted ? readTls(tls) : undefined,
    socketPath,
    totalTimeout,
    attemptTimeout: Math.min(totalTimeout, positive("timeout.attempt", connection.timeout?.attempt ?? 1000)),
    maxSockets: positive("maxSockets", connection.maxSockets ?? 64),
    authorization,
    url: (path, caller) => `${base}${caller === "service" ? servicePath : "/api"}${path}`,
  };
}

function readBaseUrl({ baseUrl, allowInsecure }: ApiConnection) {
  if (baseUrl === "") throw optionError("baseUrl", isEmpty);
  const url = typeof baseUrl === "string" ? URL.parse(baseUrl) : null;
  if (url === null) throw optionError("baseUrl", "must be an https:, http: or unix: URL");
  if (url.username !== "" || url.password !== "") throw optionError("baseUrl", "must not contain credentials");
  if (url.search !== "" || url.hash !== "") throw optionError("baseUrl", "must not have a query or fragment");
  if (url.protocol === "unix:") {
    const socketPath = decodeURIComponent(url.pathname);
    if (url.host !== "" || !socketPath.startsWith("/")) throw optionError("baseUrl", "must be unix:/path/to/socket");
    return { base: "http://localhost", socketPath, encrypted: false };
  }
  const prefix = url.pathname.replace(/\/+$/, "");
  if (prefix.endsWith("/api")) throw optionError("baseUrl", "must end before /api");
  const encrypted = url.protocol === "https:";
  if (!encrypted && url.protocol !== "http:") throw optionError("baseUrl", "must be an https:, http: or unix: URL");
  if (!encrypted && !isLoopback(url.hostname) && allowInsecure !== true) {
    throw optionError("baseUrl", "must be https: unless the backend is on this machine or allowInsecure is true");
  }
  return { base: `${url.origin}${prefix}`, socketPath: undefined, encrypted };
}

function readCredentials({ credentials, serviceId }: ApiConnection) {
  if (typeof credentials !== "object" || (credentials as unknown) === null) {
    throw optionError("credentials", "must have an apiSecret or an accessToken");
  }
  const { apiSecret, accessToken } = credentials as { apiSecret?: unknown; accessToken?: unknown };
  if ((apiSecret === undefined) === (accessToken === undefined)) {
    throw optionError("credentials", "must have either an apiSecret or an accessToken");
  }
  if (apiSecret !== undefined) {
    if (apiSecret === "") throw optionError("credentials.apiSecret", isEmpty);
    if (typeof apiSecret !== "string") throw optionError("credentials.apiSecret", "must be a string");
    const pair = Buffer.from(`${serviceId}:${apiSecret}`).toString("base64");
    return { authorization: `Basic ${pair}`, servicePath: "/api" };
  }
  if (accessToken === "") throw optionError("credentials.accessToken", isEmpty);
  if (typeof accessToken !== "string" || !/^[\x21-\x7e]+$/.test(accessToken)) {
    throw optionError("credentials.accessToken", "must be a string of printable ASCII without spaces");
  }
  return { authorization: `Bearer ${accessToken}`, servicePath: `/api/${serviceId}` };
}

/** Reads TLS options. Throws a `TypeError` for a certificate without its key, or the other way round. */
export function readTls({ ca, cert, key }: NonNullable<ApiConnection["tls"]> = {}) {
  if ((cert === undefined) !== (key === undefined)) throw optionError("tls", "must have both cert and key, or neither");
  return {
    ...(ca !== undefined && { ca: typeof ca === "string" ? ca : [...ca] }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

/** Reads a positive integer, such as milliseconds or a count. */
function positive(option: string, value: number): number {
  if (!(Number.isSafeInteger(value) && value > 0 && value <= 2_147_483_647)) {
    throw optionError(option, "must be a positive integer");
  }
  return value;
}

/**
 * Reads the URL of an endpoint that receives credentials or tokens: https, or plain HTTP on this machine (RFC 7662 §2,
 * RFC 6749 §3).
 *
 * Throws a `TypeError` that names the option. `allowInsecure` allows plain HTTP to another machine.
 *
 * @example readEndpointUrl("url", "https://as.example.com/introspect").host // "as.example.com"
 */
export function readEndpointUrl(option: string, value: unknown, allowInsecure = false): URL {
  const url = typeof value === "string" ? URL.parse(value) : null;
  const defect = url === null ? "must be an https: URL" : endpointDefect(url, allowInsecure);
  if (url === null || defect !== undefined) throw optionError(option, defect ?? "must be an https: URL");
  return url;
}

/** The rule that such a URL breaks; `undefined`: none. */
export function endpointDefect(url: URL, allowInsecure: boolean): string | undefined {
  if (url.username !== "" || url.password !== "") return "must not contain credentials";
  if (url.hash !== "") return "must not have a fragment";
  if (url.protocol === "https:") return undefined;
  if (url.protocol !== "http:") return "must be an https: URL";
  return isLoopback(url.hostname) || allowInsecure
    ? undefined
    : "must be https: unless it is on this machine or allowInsecure is true";
}
