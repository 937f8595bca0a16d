import { isJsonObject } from "../oauth/json-object.ts";
import { requestAuthorizationServer, type RequestConditions } from "./authorization-server-request.ts";
import { AuthorizationServerMalformed } from "./token-errors.ts";

/** The endpoint that issues tokens. */
export interface TokenEndpoint {
  readonly tokenEndpoint: string;
  /** The issuer, if the metadata names it. */
  readonly issuer?: string;
}

/**
 * Finds the token endpoint of an issuer in its metadata (RFC 8414 §3), or else in its OpenID configuration.
 *
 * Rejects with `AuthorizationServerUnavailable`, or with {@link AuthorizationServerMalformed} if there is no document,
 * it belongs to another issuer (RFC 8414 §3.3), or its token endpoint is missing or unusable.
 *
 * @example await discoverTokenEndpoint("https://as.example.com", { agent, timeout, signal })
 */
export async function discoverTokenEndpoint(issuer: string, conditions: RequestConditions): Promise<TokenEndpoint> {
  const what = "The authorization server's metadata";
  for (const url of wellKnown(issuer)) {
    const { status, json } = await requestAuthorizationServer({ what, url }, conditions);
    if (status >= 400) continue;
    if (status !== 200) throw new AuthorizationServerMalformed(`${what}: the response has status ${status}.`);
    if (json === undefined) throw new AuthorizationServerMalformed(`${what}: the response is not a JSON object.`);
    if (json["issuer"] !== issuer) throw new AuthorizationServerMalformed(`${what}: it belongs to another issuer.`);
    const read = readTokenEndpoint(json);
    if ("error" in read) throw new AuthorizationServerMalformed(`${what}: ${read.error}.`);
    return { ...read, issuer };
  }
  throw new AuthorizationServerMalformed(`${what}: there is no metadata at the well-known URLs.`);
}

/** RFC 8414 inserts `.well-known` between host and path (§3.1), OpenID appends it to the path. */
function wellKnown(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, "");
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
}

/**
 * Reads the token endpoint for a client that presents a certificate: the mTLS alias, or else `token_endpoint`.
 *
 * Other members of `mtls_endpoint_aliases` are ignored (RFC 8705 §5).
 *
 * @example readTokenEndpoint({ token_endpoint: "https://as.example.com/token" }) // { tokenEndpoint: "https://as.example.com/token" }
 */
export function readTokenEndpoint(
  metadata: Readonly<Record<string, unknown>>,
): { readonly tokenEndpoint: string } | { readonly error: string } {
  const aliases = metadata["mtls_endpoint_aliases"] ?? {};
  if (!isJsonObject(aliases)) return { error: "mtls_endpoint_aliases must be an object" };
  const alias = aliases["token_endpoint"];
  const endpoint = alias ?? metadata["token_endpoint"];
  if (isEndpoint(endpoint)) return { tokenEndpoint: endpoint };
  return { error: `${alias === undefined ? "" : "mtls_endpoint_aliases."}token_endpoint must be an https: URL` };
}

/** The URL must be https, because a certificate needs TLS, and have no fragment (RFC 6749 §3.2) and no credentials. */
export function isEndpoint(value: unknown): value is string {
  const url = typeof value === "string" && !value.includes("#") ? URL.parse(value) : null;
  return url?.protocol === "https:" && url.username === "" && url.password === "";
}
