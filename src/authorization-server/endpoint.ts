/** A request to one of the endpoints, as a front end of any kind has it. */
export interface EndpointRequest {
  readonly method: string;
  /** The Authorization header, if there was exactly one. */
  readonly authorization?: string;
  readonly contentType?: string;
  /** The address that the request came from, without port: for logs and for slowing guesses down. */
  readonly address?: string;
  /** The Accept header, several of them joined by commas. */
  readonly accept?: string;
  /** The body as text; never the query. */
  readonly body: string;
  /** Whether the query carries an access token (RFC 6750 §2.3), which is none here and never handed on. */
  readonly tokenInQuery?: boolean;
  /** The certificate of this very TLS connection as PEM, or what a trusted proxy says of its own; never from a body. */
  readonly clientCertificate?: string;
  /** The rest of the chain, leaf excluded. */
  readonly clientCertificatePath?: readonly string[];
  /** What only a browser's request has; for endpoints with `forBrowsers` alone. */
  readonly browser?: BrowserRequest;
}

/** What an endpoint for browsers is told besides. */
export interface BrowserRequest {
  /** What follows the first question mark, as it came; "" when there is nothing. */
  readonly query: string;
  readonly cookie?: string;
  readonly host?: string;
  readonly origin?: string;
  /** Sec-Fetch-Site (W3C Fetch Metadata). */
  readonly fetchSite?: string;
}

/** What to send back. */
export interface EndpointAnswer {
  readonly status: number;
  /** Several values are several header lines. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
}

/** One endpoint: a request in, an answer out; it rejects only for a bug. */
export interface Endpoint {
  (request: EndpointRequest): Promise<EndpointAnswer>;
  /** Whether it is handed query and cookies. Every other endpoint cannot read them (RFC 6749 §2.3.1). */
  readonly forBrowsers?: boolean;
}

type Headers = EndpointAnswer["headers"];

const json = "application/json";
/** No answer of these endpoints may be kept by anyone on the way (RFC 6749 §5.1, RFC 9111 §5.2.2.5). */
const neverCached = { "cache-control": "no-store", pragma: "no-cache" } as const;

/** An answer with a JSON text, or with none. */
export function answer(status: number, body = "", headers: Headers = {}): EndpointAnswer {
  return { status, headers: { ...neverCached, ...(body !== "" && { "content-type": json }), ...headers }, body };
}

/** An error that the front end finds itself, without the backend (RFC 6749 §5.2). */
export function oauthErrorAnswer(
  status: number,
  error: string,
  description: string,
  headers: Headers = {},
): EndpointAnswer {
  return answer(status, JSON.stringify({ error, error_description: description }), headers);
}

/** The `realm` of a challenge, without the characters that would end its quotes (RFC 9110 §11.5). */
export function quotedRealm(realm: string): string {
  return `realm="${realm.replace(/["\\]/g, "")}"`;
}

/** What is wrong with a request that is no form POST; `undefined` for one that is (RFC 6749 §3.2, RFC 7662 §2.1). */
export function refuseUnlessForm(request: EndpointRequest): EndpointAnswer | undefined {
  return refuseUnless("POST", request) ?? refuseUnlessFormBody(request);
}

/** What is wrong with a request of another method; HEAD is GET without the body (RFC 9110 §9.3.2). */
export function refuseUnless(
  methods: "POST" | "GET, HEAD" | "GET, POST" | "GET, HEAD, POST",
  request: EndpointRequest,
) {
  if (methods.split(", ").includes(request.method)) return undefined;
  return oauthErrorAnswer(405, "invalid_request", `This endpoint takes ${methods}.`, { allow: methods });
}

/** Characters: a media type, a charset, and what some programs add. */
const longestContentType = 256;

/** What is wrong with a body that is no form, or one in characters that are not read here. */
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

/** Some programs name ISO-8859-1 whatever they send: what has octets of ASCII alone is the same in both. */
function extendsAscii(charset: string): boolean {
  return /^(?:us-ascii|iso-8859-\d{1,2}|windows-125\d)$/.test(charset);
}

function isAscii(form: string): boolean {
  return !/%[89a-f]|[^\x00-\x7f]/i.test(form);
}
