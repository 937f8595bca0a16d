import { isJsonObject } from "../oauth/json-object.ts";
import { isScopeToken } from "../oauth/scope.ts";
import { optionError } from "../options/option-error.ts";
import { refuseUnknownOptions } from "../options/refuse-unknown-options.ts";
import type { TokenTarget } from "./bound-tokens.ts";

/** The scopes and resources to request; by default the authorization server chooses. */
export interface TargetOptions {
  /** Scope tokens, as a list or as a string separated by spaces (RFC 6749 §3.3). */
  readonly scope?: string | readonly string[];
  /** The APIs that the token is for: absolute URIs (RFC 8707 §2). */
  readonly resource?: string | readonly string[];
}

/**
 * Reads scope and resource; `usual` has the defaults. The result is sorted, so equal targets are equal in any order.
 *
 * Throws a `TypeError` with a `code`.
 *
 * @example readTarget({ scope: ["write", "read"] }) // { scopes: ["read", "write"], resources: [] }
 */
export function readTarget(
  { scope, resource }: { readonly scope?: unknown; readonly resource?: unknown },
  usual: TokenTarget = { scopes: [], resources: [] },
): TokenTarget {
  return {
    scopes: scope === undefined ? usual.scopes : readScopes(scope),
    resources: resource === undefined ? usual.resources : readResources(resource),
  };
}

function readScopes(scope: unknown): string[] {
  const tokens = typeof scope === "string" ? scope.split(" ").filter(Boolean) : listOf(scope);
  const isScope = (token: unknown): token is string => typeof token === "string" && isScopeToken(token);
  if (!tokens.every(isScope)) throw optionError("scope", "must be scope tokens");
  return [...new Set(tokens)].sort();
}

function readResources(resource: unknown): string[] {
  const uris = typeof resource === "string" ? [resource] : listOf(resource);
  const isResource = (uri: unknown): uri is string =>
    typeof uri === "string" && !/[#\s]/.test(uri) && URL.canParse(uri);
  if (!uris.every(isResource)) throw optionError("resource", "must be absolute URIs without a fragment");
  return [...new Set(uris)].sort();
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [undefined];
}

/** An API with its own scopes or resources. */
export interface BoundResourceServer extends TargetOptions {
  /** Scheme, host and port: `https://api.example.com`. */
  readonly origin: string;
}

/** The token that an origin receives; `undefined`: none. */
export type TargetOf = (origin: string) => TokenTarget | undefined;

/**
 * Reads which origins receive which token. Throws a `TypeError` with a `code` for anything but https: origins.
 *
 * @example readResourceServers(["https://api.example.com"], usual)("https://evil.example.com") // undefined
 */
export function readResourceServers(given: unknown, usual: TokenTarget): TargetOf {
  if (given !== undefined && !Array.isArray(given)) throw optionError("resourceServers", "must be an array");
  const targets = new Map<string, TokenTarget>();
  for (const one of (given ?? []) as unknown[]) {
    const { origin, ...target } = isJsonObject(one) ? one : { origin: one };
    refuseUnknownOptions(target, ["scope", "resource"], "resourceServers");
    const url = typeof origin === "string" ? URL.parse(origin) : null;
    if (url?.protocol !== "https:" || (origin !== url.origin && origin !== `${url.origin}/`)) {
      throw optionError("resourceServers", "must be https: origins without a path");
    }
    if (targets.has(url.origin)) throw optionError("resourceServers", "must name each origin once");
    targets.set(url.origin, readTarget(target, usual));
  }
  return (origin) => targets.get(origin);
}
