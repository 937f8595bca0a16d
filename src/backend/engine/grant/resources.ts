import { isResourceIndicator } from "../../../oauth/uri.ts";
import type { Service } from "../settings/service-and-client.ts";
import type { ResultCode } from "../answer/result.ts";

/** The audience that a token gets, or why the request names none that it can have. */
export type GrantedResources = { readonly resources: readonly string[] } | { readonly refusedWith: ResultCode };

/** Each is compared with each that is known; nobody asks for a token for a hundred. */
const mostResources = 100;

/**
 * Decides over the `resource` parameters of a token request (RFC 8707 §2.2).
 *
 * Every one must be an absolute URI that the service knows; a request that names none gets the service's default.
 */
export function grantResources(service: Service, requested: readonly string[]): GrantedResources {
  if (requested.length === 0) return { resources: service.settings.defaultResources };
  if (requested.length > mostResources) return { refusedWith: "A251306" };
  if (requested.some((resource) => resource.includes("#"))) return { refusedWith: "A251308" };
  if (!requested.every(isResourceIndicator)) return { refusedWith: "A251307" };
  const supported = service.settings.supportedResources;
  if (supported !== undefined && !requested.every((resource) => supported.includes(resource))) {
    return { refusedWith: "A251306" };
  }
  return { resources: [...new Set(requested)] };
}

/**
 * Decides over the `resource` parameters of an exchange (RFC 8707 §2.2): of those that were granted, and no other.
 *
 * A grant that names no resource has none to choose from.
 */
export function narrowResources(granted: readonly string[], requested: readonly string[]): GrantedResources {
  if (requested.length === 0) return { resources: granted };
  if (requested.length > mostResources) return { refusedWith: "A251309" };
  if (!requested.every((resource) => granted.includes(resource))) return { refusedWith: "A251309" };
  return { resources: [...new Set(requested)] };
}

/**
 * Refuses an audience of several for a JWT that has scopes: which of them a scope is for, none could tell (RFC 9068 §5).
 *
 * An opaque token says nothing by itself; there the introspecting resource server is told what concerns it.
 */
export function forOneAudience(
  service: Service,
  target: GrantedResources,
  scopes: readonly string[],
): GrantedResources {
  if ("refusedWith" in target || service.settings.accessTokenSignAlg === undefined) return target;
  return target.resources.length > 1 && scopes.length > 0 ? { refusedWith: "A251310" } : target;
}
