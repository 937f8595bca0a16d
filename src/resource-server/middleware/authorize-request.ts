import type { CertificateOfConnection } from "../../client-certificate/certificate-source.ts";
import { namesAccessToken, readBearerToken } from "../../oauth/authorization-header.ts";
import { AccessTokenRefused } from "../refusal/access-token-refused.ts";
import type { AccessToken } from "../decision/access-token.ts";
import { IntrospectionMalformed, IntrospectionUnavailable } from "../refusal/introspection-unavailable.ts";
import type { RouteRequirement } from "../decision/read-requirement.ts";
import type { ResourceServer } from "../resource-server.ts";

/** What is needed of an HTTP request, whatever the framework. */
export interface ApiRequest {
  /** Names and values in turn, as they arrived: here a repeated header can be seen (`IncomingMessage.rawHeaders`). */
  readonly rawHeaders: readonly string[];
  /** The target of the request line, as it arrived: a token in its query beside one in the header is refused. */
  readonly target?: string | undefined;
  /** What a body parser made of the body, when one ran before. */
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

/** Why a request is not served; each has `status`, `headers`, and `code` and `reason` for the operator. */
export type Refusal = AccessTokenRefused | IntrospectionUnavailable | IntrospectionMalformed;

export type Admission =
  | { readonly granted: true; readonly accessToken: AccessToken }
  | { readonly granted: false; readonly refusal: Refusal };

/**
 * Decides over a request to an API: reads its token (RFC 6750 §2.1) and asks the resource server.
 *
 * Only the Authorization header is a transport. A token in the query or in a form body is ignored; beside one in the
 * header the request is refused (RFC 6750 §2: one method). Rejects with what is not a refusal: wrong arguments, an
 * aborted signal.
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
 * Whether a form body carries a token as well: only such a body is a transport of tokens (RFC 6750 §2.2); a JSON API
 * may have a member of that name. The body is what a parser made of it, or still its text or its octets.
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

/** Whether the query of a request's target carries a token (RFC 6750 §2.3). */
function hasQueryToken(target: string | undefined): boolean {
  const at = target?.indexOf("?") ?? -1;
  return target !== undefined && at !== -1 && namesAccessToken(target.slice(at + 1));
}
