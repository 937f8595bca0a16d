import { isJsonObject } from "../oauth/json-object.ts";
import { optionError } from "../options/option-error.ts";
import { refuseUnknownOptions } from "../options/refuse-unknown-options.ts";
import { isEndpoint, readTokenEndpoint } from "./authorization-server-metadata.ts";
import type { TokenClocks } from "./bound-tokens.ts";
import { type KeyPairOptions, readOptionCertificates } from "./read-key-pair.ts";
import type { AuthorizationServer } from "./request-token.ts";
import type { ClientAssertion, TokenEndpointAuthentication } from "./token-endpoint-authentication.ts";
import {
  readTarget,
  type TargetOptions,
  readResourceServers,
  type BoundResourceServer,
  type TargetOf,
} from "./token-targets.ts";

/** The options of `createBoundClient`: certificate, client, authorization server and resource servers. */
export interface BoundClientOptions extends KeyPairOptions, TargetOptions {
  /** Trust anchors (PEM) to verify servers with, instead of the system's. */
  readonly ca?: string | readonly string[];
  /** The issuer, whose metadata is fetched (RFC 8414); the metadata itself; or only the token endpoint. */
  readonly authorizationServer:
    | { readonly issuer: string }
    | { readonly metadata: Readonly<Record<string, unknown>> }
    | { readonly tokenEndpoint: string };
  readonly clientId: string;
  /** Default: `client_secret_basic` with a `clientSecret`, `private_key_jwt` with a `clientAssertion`, else `tls_client_auth`. */
  readonly tokenEndpointAuthMethod?: TokenEndpointAuthentication["method"];
  readonly clientSecret?: string;
  readonly clientAssertion?: ClientAssertion;
  /** The APIs that receive the token, each as an origin (`https://api.example.com`). No other server receives it. */
  readonly resourceServers?: readonly (string | BoundResourceServer)[];
  /** Milliseconds for one response of the authorization server (default 10,000). */
  readonly timeout?: number;
  /** Default: the system clocks. */
  readonly clock?: TokenClocks["clock"];
  readonly monotonicClock?: TokenClocks["monotonicClock"];
}

/** The options of a bound client, validated and with defaults; without the key pair. */
export interface ResolvedBoundClientOptions extends TokenClocks {
  readonly ca: string[] | undefined;
  readonly authorizationServer: AuthorizationServer;
  readonly clientId: string;
  readonly authentication: TokenEndpointAuthentication;
  readonly targetOf: TargetOf;
  readonly timeout: number;
}

const names = new Set(
  `certificate key passphrase ca authorizationServer clientId tokenEndpointAuthMethod clientSecret clientAssertion
  scope resource resourceServers timeout clock monotonicClock`.split(/\s+/),
);

/**
 * Validates the options of `createBoundClient`. Throws a `TypeError` with a `code`; it names the wrong option, never its
 * value.
 *
 * @example resolveBoundClientOptions({ certificate, key, authorizationServer: { issuer }, clientId: "4711" }, clocks).timeout // 10000
 */
export function resolveBoundClientOptions(
  options: BoundClientOptions,
  clocks: TokenClocks,
): ResolvedBoundClientOptions {
  if (!isJsonObject(options)) throw optionError("options", "must be an object");
  refuseUnknownOptions(options, names);
  const { clientId, timeout = 10_000 } = options as BoundClientOptions;
  if (typeof clientId !== "string" || clientId === "") throw optionError("clientId", "must be a non-empty string");
  if (!(Number.isSafeInteger(timeout) && timeout > 0 && timeout <= 2_147_483_647)) {
    throw optionError("timeout", "must be a positive integer");
  }
  const { clock = clocks.clock, monotonicClock = clocks.monotonicClock } = options as BoundClientOptions;
  return {
    ca: readAnchors(options["ca"]),
    authorizationServer: readAuthorizationServer(options["authorizationServer"]),
    clientId,
    authentication: readAuthentication(options),
    targetOf: readResourceServers(options["resourceServers"], readTarget(options)),
    timeout,
    clock,
    monotonicClock,
  };
}

function readAnchors(ca: unknown): string[] | undefined {
  if (ca === undefined) return undefined;
  const anchors: unknown[] = Array.isArray(ca) ? ca : [ca];
  for (const one of anchors) {
    if (typeof one !== "string") throw optionError("ca", "must be certificates in PEM");
    readOptionCertificates("ca", one);
  }
  return anchors as string[];
}

function readAuthorizationServer(given: unknown): AuthorizationServer {
  const members = isJsonObject(given) ? Object.keys(given) : [];
  if (!isJsonObject(given) || members.length !== 1) {
    throw optionError("authorizationServer", "must have an issuer, metadata or a tokenEndpoint");
  }
  refuseUnknownOptions(given, ["issuer", "metadata", "tokenEndpoint"], "authorizationServer");
  const { issuer, metadata, tokenEndpoint } = given;
  if (issuer !== undefined) {
    if (!isEndpoint(issuer) || issuer.includes("?")) {
      throw optionError("authorizationServer.issuer", "must be an https: URL without query and fragment");
    }
    return { issuer };
  }
  if (metadata !== undefined) {
    const read = readTokenEndpoint(isJsonObject(metadata) ? metadata : {});
    if ("error" in read) throw optionError("authorizationServer.metadata", `cannot be used: ${read.error}`);
    const name = isJsonObject(metadata) ? metadata["issuer"] : undefined;
    return { ...read, ...(typeof name === "string" && { issuer: name }) };
  }
  if (!isEndpoint(tokenEndpoint)) {
    throw optionError("authorizationServer.tokenEndpoint", "must be an https: URL without fragment");
  }
  return { tokenEndpoint };
}

function readAuthentication(options: BoundClientOptions): TokenEndpointAuthentication {
  const { clientSecret, clientAssertion } = options;
  if (clientSecret !== undefined && (typeof clientSecret !== "string" || clientSecret === "")) {
    throw optionError("clientSecret", "must be a non-empty string");
  }
  if (clientAssertion !== undefined && typeof clientAssertion !== "function") {
    throw optionError("clientAssertion", "must be a function");
  }
  const usual =
    clientSecret !== undefined ? "client_secret_basic" : clientAssertion !== undefined ? "private_key_jwt" : undefined;
  const method = options.tokenEndpointAuthMethod ?? usual ?? "tls_client_auth";
  // A request uses one method (RFC 6749 §2.3), so a secret that the method does not use is a mistake.
  if (clientSecret !== undefined && !method.startsWith("client_secret_")) {
    throw optionError("clientSecret", "can only be used with client_secret_basic and client_secret_post");
  }
  if (clientAssertion !== undefined && method !== "private_key_jwt") {
    throw optionError("clientAssertion", "can only be used with private_key_jwt");
  }
  switch (method) {
    case "tls_client_auth":
    case "self_signed_tls_client_auth":
      return { method };
    case "client_secret_basic":
    case "client_secret_post":
      if (clientSecret === undefined) throw optionError("clientSecret", "is missing");
      return { method, clientSecret };
    case "private_key_jwt":
      if (clientAssertion === undefined) throw optionError("clientAssertion", "is missing");
      return { method, clientAssertion };
    default:
      throw optionError("tokenEndpointAuthMethod", "must be a method that this client supports");
  }
}
