import { endpointDefect } from "../../api-client/api-connection.ts";
import { optionError } from "../../options/option-error.ts";
import { IntrospectionMalformed } from "../refusal/introspection-unavailable.ts";
import { type IssuerConnection, readJson } from "./issuer-connection.ts";

type Metadata = Readonly<Record<string, unknown>>;

/** The metadata of an authorization server (RFC 8414), fetched once when first needed. */
export interface Discovery {
  /**
   * Returns the URL of an endpoint: its mTLS alias if there is one and the connection has a certificate (RFC 8705 §5).
   *
   * Rejects with `IntrospectionUnavailable` or `IntrospectionMalformed`; then the next call fetches again.
   */
  endpoint(name: string): Promise<string>;
  /** Returns `jwks_uri`, which has no mTLS alias. */
  jwksUri(): Promise<string>;
}

const label = "authorization server metadata";
const mediaTypes = ["application/json"];

/**
 * Discovers the endpoints of an issuer (RFC 8414 §3; if not found, OpenID Connect Discovery 1.0 §4).
 *
 * The metadata must name exactly the requested issuer (RFC 8414 §3.3).
 *
 * @example await discover("https://as.example.com", connection).endpoint("introspection_endpoint")
 */
export function discover(issuer: string, connection: IssuerConnection): Discovery {
  let found: Promise<Metadata> | undefined;

  /** Unusable metadata is not kept: the next call fetches it again. */
  async function read(pick: (members: Metadata) => string): Promise<string> {
    found ??= fetchMetadata(issuer, connection);
    const fetched = found;
    try {
      return pick(await fetched);
    } catch (error) {
      if (found === fetched) found = undefined;
      throw error;
    }
  }

  const { protocol } = new URL(issuer);

  function url(name: string, value: unknown): string {
    const parsed = typeof value === "string" ? URL.parse(value) : null;
    const defect = parsed === null ? "is missing or no URL" : defectOf(parsed);
    if (defect !== undefined) throw new IntrospectionMalformed(`${label}: ${name} ${defect}`);
    return value as string;
  }

  function defectOf(endpoint: URL): string | undefined {
    const defect = endpointDefect(endpoint, connection.allowInsecure);
    // Also for localhost: a remote issuer must not redirect our credentials to a local process.
    const isWeaker = endpoint.protocol !== protocol && endpoint.protocol !== "https:" && !connection.allowInsecure;
    return defect ?? (isWeaker ? "must be https, as the issuer is" : undefined);
  }

  return {
    endpoint: (name) =>
      read((members) => {
        const aliases = connection.holdsCertificate ? members["mtls_endpoint_aliases"] : undefined;
        const alias = isObject(aliases) && Object.hasOwn(aliases, name) ? aliases[name] : undefined;
        return alias === undefined ? url(name, members[name]) : url(`mtls_endpoint_aliases.${name}`, alias);
      }),
    jwksUri: () => read((members) => url("jwks_uri", members["jwks_uri"])),
  };
}

async function fetchMetadata(issuer: string, connection: IssuerConnection): Promise<Metadata> {
  const [first, second] = wellKnown(issuer);
  const found = await connection.get(label, first, mediaTypes);
  const answer = found.statusCode === 404 ? await connection.get(label, second, mediaTypes) : found;
  const members = parse(readJson(label, answer, mediaTypes));
  if (!isObject(members)) throw new IntrospectionMalformed(`${label}: it is not a JSON object`);
  if (members["issuer"] !== issuer) throw new IntrospectionMalformed(`${label}: it is another issuer's`);
  return members;
}

/** RFC 8414 §3.1 inserts the well-known part before the issuer's path, OpenID Connect appends it. */
function wellKnown(issuer: string): readonly [string, string] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, "");
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new IntrospectionMalformed(`${label}: it is not JSON`);
  }
}

function isObject(value: unknown): value is Metadata {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Checks the option `issuer`. If its metadata is fetched, it must be a URL without query and fragment (RFC 8414 §2); an
 * issuer that is only compared may be any string.
 *
 * Throws a `TypeError` with a `code`.
 *
 * @example checkIssuerIdentifier("https://as.example.com", { fetched: true, allowInsecure: false })
 */
export function checkIssuerIdentifier(
  issuer: unknown,
  { fetched, allowInsecure }: { readonly fetched: boolean; readonly allowInsecure: boolean },
): void {
  if (typeof issuer !== "string" || issuer === "") throw optionError("issuer", "must be an issuer identifier");
  if (!fetched) return;
  const url = URL.parse(issuer);
  const defect = url === null ? "must be an https: URL" : endpointDefect(url, allowInsecure);
  if (defect !== undefined) throw optionError("issuer", defect);
  if (issuer.includes("?")) throw optionError("issuer", "must have no query");
}
