import type { CertificateOfConnection } from "../../client-certificate/certificate-source.ts";
import { namesAccessToken, readBearerToken } from "../../oauth/authorization-header.ts";
import { AccessTokenRefused } from "../refusal/access-token-refused.ts";
import type { AccessToken } from "../decision/access-token.ts";
import { IntrospectionMalformed, IntrospectionUnavailable } from "../refusal/introspection-unavailable.ts";
import type { RouteRequirement } from "../decision/read-requirement.ts";
import type { ResourceServer } from "../resource-server.ts";

/** The part of an HTTP request that authorization needs, in any framework. */
export interface ApiRequest {
  /** Alternating names and values as received, which shows repeated headers (`IncomingMessage.rawHeaders`). */
  readonly rawHeaders: readonly string[];
  /** The target of the request line as received: a token in its query and in the header is refused. */
  readonly target?: string | undefined;
  /** The result of a body parser that ran before, if any. */
  readonly body?: unknown;
}

/** How a route is protected. */
export interface RouteProtection {
  readonly certificate: () => CertificateOfConnection;
  readonly requirement?: RouteRequirement | undefined;
  readonly issuer?: string | undefined;
  readonly realm?: string | undefined;
  readonly resourceMetadata?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Why a request was refused; each has `status`, `headers`, and `code` and `reason` for the operator. */
export type Refusal = AccessTokenRefused | IntrospectionUnavailable | IntrospectionMalformed;

export type Admission =
  | { readonly granted: true; readonly accessToken: AccessToken }
  | { readonly granted: false; readonly refusal: Refusal };

/**
 * Decides about a request to an API: reads its token (RFC 6750 §2.1) and calls the resource server.
 *
 * Accepts a token in the Authorization header only. Ignores a token in the query or in a form body; refuses a request
 * that has one there and in the header (RFC 6750 §2: one method). Rejects for errors that are not refusals: wrong
 * arguments, an aborted signal.
 *
 * @example const admission = await authorizeRequest(api, request, { certificate: () => source(request) })
 */
export async function authorizeRequest(
  resourceServer: ResourceServer,
  request: ApiRequest,
  { certificate, requirement, issuer, realm, resourceMetadata, signal }: RouteProtection,
): Promise<Admission> {
  const refused = (code: "credentials_missing" | "request_malformed", defect?: string): Admission => {
    const reason = defect && `the request presents its access token in a wrong way: ${defect}`;
    return { granted: false, refusal: resourceServer.refuse(code, { realm, reason, resourceMetadata }) };
  };
  const reading = readBearerToken(headerValues(request.rawHeaders, "authorization"));
  if (reading.kind === "none") return refused("credentials_missing");
  if (reading.kind === "malformed") return refused("request_malformed", reading.reason.replace("_", " "));
  if (hasQueryToken(request.target)) return refused("request_malformed", "in the header and in the query");
  if (hasBodyToken(request)) return refused("request_malformed", "in the header and in the body");
  try {
    const { token } = reading;
    const accessToken = await resourceServer.authorize({
      token,
      certificate: certificate(),
      requirement,
      issuer,
      realm,
      resourceMetadata,
      signal,
    });
    return { granted: true, accessToken };
  } catch (error) {
    if (isRefusal(error)) return { granted: false, refusal: error };
    throw error;
  }
}

function isRefusal(error: unknown): error is Refusal {
  return (
    error instanceof AccessTokenRefused ||
    error instanceof IntrospectionUnavailable ||
    error instanceof IntrospectionMalformed
  );
}

function headerValues(rawHeaders: readonly string[], wanted: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (name.length === wanted.length && name.toLowerCase() === wanted) values.push(rawHeaders[at + 1] ?? "");
  }
  return values;
}

/**
 * Whether a form body has a token: only form bodies can transport tokens (RFC 6750 §2.2); a JSON API may have a member
 * of that name. The body may be parsed, a string or octets.
 *
 * @example hasBodyToken({ rawHeaders: ["content-type", "application/json"], body: { access_token: "a" } }) // false
 */
export function hasBodyToken({ rawHeaders, body }: ApiRequest): boolean {
  if (body === undefined || body === null || body === "") return false;
  const [type = ""] = headerValues(rawHeaders, "content-type");
  if (!/^application\/x-www-form-urlencoded *(;|$)/i.test(type)) return false;
  if (typeof body === "string") return namesAccessToken(body);
  if (body instanceof Uint8Array) return namesAccessToken(Buffer.from(body).toString("latin1"));
  if (body instanceof URLSearchParams || body instanceof Map) return body.has("access_token");
  return typeof body === "object" && "access_token" in body;
}

/** Whether the query of the request target has a token (RFC 6750 §2.3). */
function hasQueryToken(target: string | undefined): boolean {
  const at = target?.indexOf("?") ?? -1;
  return target !== undefined && at !== -1 && namesAccessToken(target.slice(at + 1));
}
