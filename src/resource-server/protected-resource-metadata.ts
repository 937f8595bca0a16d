import { optionError } from "../options/option-error.ts";
import { isScopeToken } from "../oauth/scope.ts";
import { freezeDeeply } from "./decision/access-token.ts";
import { refuseUnknownOptions } from "../options/refuse-unknown-options.ts";

/** A human-readable member in one or more languages: `resource_name`, `resource_name#ja` (RFC 9728 §2.1). */
type Spoken<Name extends string> = Readonly<Partial<Record<Name | `${Name}#${string}`, string>>>;

/** The members of RFC 9728 §2 that apply to an API behind this library. */
export interface ProtectedResourceParameters
  extends
    Spoken<"resource_name">,
    Spoken<"resource_documentation">,
    Spoken<"resource_policy_uri">,
    Spoken<"resource_tos_uri"> {
  /** The name of the API: an https URL without query and fragment. */
  readonly resource: string;
  /** Issuer identifiers (RFC 8414 §2). */
  readonly authorization_servers?: readonly string[];
  readonly scopes_supported?: readonly string[];
  /** Default `["header"]`, the only supported method. */
  readonly bearer_methods_supported?: readonly "header"[];
  /** Default true. */
  readonly tls_client_certificate_bound_access_tokens?: boolean;
  readonly jwks_uri?: string;
  readonly resource_signing_alg_values_supported?: readonly string[];
  readonly authorization_details_types_supported?: readonly string[];
  /** A JWT with the same members, signed elsewhere (RFC 9728 §2.2). */
  readonly signed_metadata?: string;
}

/** The metadata of a protected resource, as a response. */
export interface ProtectedResourceMetadata {
  /** Where clients look for it (RFC 9728 §3); challenges contain this URL. */
  readonly url: string;
  /** The path of that URL. */
  readonly path: string;
  readonly document: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  /** The document as JSON. */
  readonly body: string;
}

type MemberCheck = (value: unknown) => string | undefined;

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const isUrl = (value: unknown, protocols: readonly string[]): boolean =>
  isText(value) && URL.canParse(value) && protocols.includes(new URL(value).protocol);

const text: MemberCheck = (value) => (isText(value) ? undefined : "must be text");
const flag: MemberCheck = (value) => (typeof value === "boolean" ? undefined : "must be true or false");
const page: MemberCheck = (value) => (isUrl(value, ["https:", "http:"]) ? undefined : "must be the URL of a page");
const httpsUrl: MemberCheck = (value) => (isUrl(value, ["https:"]) ? undefined : "must be an https URL");
const identifier: MemberCheck = (value) =>
  isUrl(value, ["https:"]) && !/[?#]/.test(value as string) && !/^https:\/\/[^/]*@/i.test(value as string)
    ? undefined
    : "must be an https URL without user, query and fragment";
const all =
  (what: string, holds: (one: unknown) => boolean): MemberCheck =>
  (value) =>
    Array.isArray(value) && value.every(holds) ? undefined : `must be an array of ${what}`;

const checks: Readonly<Record<string, MemberCheck>> = {
  resource: identifier,
  authorization_servers: all("issuer identifiers", (one) => identifier(one) === undefined),
  scopes_supported: all("scope tokens", (one) => isText(one) && isScopeToken(one)),
  bearer_methods_supported: all('nothing but "header"', (one) => one === "header"),
  tls_client_certificate_bound_access_tokens: flag,
  jwks_uri: httpsUrl,
  resource_signing_alg_values_supported: all("algorithms, none not among them", (one) => isText(one) && one !== "none"),
  authorization_details_types_supported: all("names", isText),
  signed_metadata: text,
  resource_name: text,
  resource_documentation: page,
  resource_policy_uri: page,
  resource_tos_uri: page,
};

const names: ReadonlySet<string> = new Set(Object.keys(checks));
const spoken = /^(resource_(?:name|documentation|policy_uri|tos_uri))#[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/;
const wellKnown = "/.well-known/oauth-protected-resource";

/**
 * Creates the metadata that tell clients what an API requires and which servers issue its tokens (RFC 9728).
 *
 * Throws a `TypeError` with a `code` that names the wrong member, also for unsupported features: tokens in the body or
 * the query, DPoP. Leaves out empty arrays (RFC 9728 §3.2).
 *
 * @example protectedResourceMetadata({ resource: "https://api.example.com/v1", authorization_servers: [issuer] }).path
 * // "/.well-known/oauth-protected-resource/v1"
 */
export function protectedResourceMetadata(parameters: ProtectedResourceParameters): ProtectedResourceMetadata {
  if (typeof parameters !== "object" || (parameters as unknown) === null) {
    throw optionError("metadata", "must be an object");
  }
  const { resource, ...others } = parameters;
  const members: Record<string, unknown> = {
    resource,
    bearer_methods_supported: ["header"],
    tls_client_certificate_bound_access_tokens: true,
    ...others,
  };
  for (const [name, value] of Object.entries(members)) {
    const known = spoken.exec(name)?.[1] ?? name;
    refuseUnknownOptions({ [known]: value }, names);
    const defect = checks[known]?.(value);
    if (defect !== undefined) throw optionError(name, defect);
  }
  const stated = Object.entries(members).filter(([, value]) => !Array.isArray(value) || value.length > 0);
  const document = freezeDeeply(structuredClone(Object.fromEntries(stated)));
  const { origin, pathname } = new URL(resource);
  // Only a path that is a single slash is removed: a slash at the end of a longer path is part of the name (RFC 9728
  // §3.1).
  const path = wellKnown + (pathname === "/" ? "" : pathname);
  const headers = Object.freeze({
    "Content-Type": "application/json",
    "Cache-Control": "public, max-age=3600",
    // It contains no secrets, and clients in browsers must read it.
    "Access-Control-Allow-Origin": "*",
  });
  return Object.freeze({ url: origin + path, path, document, headers, body: JSON.stringify(document) });
}
