/** A request to an endpoint, independent of the HTTP server. */
export interface EndpointRequest {
  readonly method: string;
  /** The Authorization header, if there was exactly one. */
  readonly authorization?: string;
  readonly contentType?: string;
  /** The client's address, without port: for logs and rate limits. */
  readonly address?: string;
  /** The Accept header; several are joined by commas. */
  readonly accept?: string;
  /** The body as text; never the query. */
  readonly body: string;
  /** Whether the query has an access token (RFC 6750 §2.3), which is never accepted or forwarded. */
  readonly tokenInQuery?: boolean;
  /** The certificate of this TLS connection as PEM, or the one that a trusted proxy reports; never from a body. */
  readonly clientCertificate?: string;
  /** The rest of the chain, without the leaf. */
  readonly clientCertificatePath?: readonly string[];
  /** Present for endpoints with `forBrowsers` only. */
  readonly browser?: BrowserRequest;
}

/** What an endpoint for browsers receives in addition. */
export interface BrowserRequest {
  /** The raw text after the first question mark; "" if there is none. */
  readonly query: string;
  readonly cookie?: string;
  readonly host?: string;
  readonly origin?: string;
  /** Sec-Fetch-Site (W3C Fetch Metadata). */
  readonly fetchSite?: string;
}

/** The response of an endpoint. */
export interface EndpointAnswer {
  readonly status: number;
  /** A list of values becomes several header lines. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
}

/** One endpoint. It rejects only for a bug. */
export interface Endpoint {
  (request: EndpointRequest): Promise<EndpointAnswer>;
  /** Whether the endpoint receives query and cookies. Others must not read them (RFC 6749 §2.3.1). */
  readonly forBrowsers?: boolean;
}

type Headers = EndpointAnswer["headers"];

const json = "application/json";
/** Responses of these endpoints must not be cached (RFC 6749 §5.1, RFC 9111 §5.2.2.5). */
const neverCached = { "cache-control": "no-store", pragma: "no-cache" } as const;

/** A response with a JSON body, or without a body. */
export function answer(status: number, body = "", headers: Headers = {}): EndpointAnswer {
  return { status, headers: { ...neverCached, ...(body !== "" && { "content-type": json }), ...headers }, body };
}

/** An error response of the front end itself, without the backend (RFC 6749 §5.2). */
export function oauthErrorAnswer(
  status: number,
  error: string,
  description: string,
  headers: Headers = {},
): EndpointAnswer {
  return answer(status, JSON.stringify({ error, error_description: description }), headers);
}

/** The `realm` of a challenge, without quotes and backslashes (RFC 9110 §11.5). */
export function quotedRealm(realm: string): string {
  return `realm="${realm.replace(/["\\]/g, "")}"`;
}

/** The error for a request that is not a form POST; otherwise `undefined` (RFC 6749 §3.2, RFC 7662 §2.1). */
export function refuseUnlessForm(request: EndpointRequest): EndpointAnswer | undefined {
  return refuseUnless("POST", request) ?? refuseUnlessFormBody(request);
}

/** The error for another method; otherwise `undefined`. HEAD is GET without the body (RFC 9110 §9.3.2). */
export function refuseUnless(
  methods: "POST" | "GET, HEAD" | "GET, POST" | "GET, HEAD, POST",
  request: EndpointRequest,
) {
  if (methods.split(", ").includes(request.method)) return undefined;
  return oauthErrorAnswer(405, "invalid_request", `This endpoint takes ${methods}.`, { allow: methods });
}

/** In characters: a media type, a charset, and what some programs add. */
const longestContentType = 256;

/** The error for a body that is not a form, or not in UTF-8; otherwise `undefined`. */
export function refuseUnlessFormBody({ contentType = "", body }: EndpointRequest): EndpointAnswer | undefined {
  const [mediaType, ...parameters] =
    contentType.length > longestContentType ? [] : contentType.split(";").map((part) => part.trim().toLowerCase());
  if (mediaType !== "application/x-www-form-urlencoded") {
    return oauthErrorAnswer(400, "invalid_request", "The request must be application/x-www-form-urlencoded.");
  }
  const charsets = parameters.flatMap((parameter) => /^charset *= *"?([^"]*)"?$/.exec(parameter)?.[1] ?? []);
  const others = charsets.filter((charset) => charset !== "utf-8" && charset !== "utf8");
  if (others.length === 0 || (others.every(extendsAscii) && isAscii(body))) return undefined;
  return oauthErrorAnswer(415, "invalid_request", "The request must be in UTF-8.");
}

/** Some programs always declare ISO-8859-1. A body of ASCII only is the same in UTF-8. */
function extendsAscii(charset: string): boolean {
  return /^(?:us-ascii|iso-8859-\d{1,2}|windows-125\d)$/.test(charset);
}

function isAscii(form: string): boolean {
  return !/%[89a-f]|[^\x00-\x7f]/i.test(form);
}
