import { isResourceIndicator } from "../../../oauth/uri.ts";
import type { Service } from "../settings/service-and-client.ts";
import type { ResultCode } from "../answer/result.ts";

/** The audience of a token, or the error when none can be granted. */
export type GrantedResources = { readonly resources: readonly string[] } | { readonly error: ResultCode };

/** Each requested resource is compared with each known one; no client needs a token for a hundred. */
const mostResources = 100;

/**
 * Decides over the `resource` parameters of a token request (RFC 8707 §2.2).
 *
 * Each must be an absolute URI that the service knows. A request without them gets the service's default.
 */
export function grantResources(service: Service, requested: readonly string[]): GrantedResources {
  if (requested.length === 0) return { resources: service.settings.defaultResources };
  if (requested.length > mostResources) return { error: "A251306" };
  if (requested.some((resource) => resource.includes("#"))) return { error: "A251308" };
  if (!requested.every(isResourceIndicator)) return { error: "A251307" };
  const supported = service.settings.supportedResources;
  if (supported !== undefined && !requested.every((resource) => supported.includes(resource))) {
    return { error: "A251306" };
  }
  return { resources: [...new Set(requested)] };
}

/**
 * Decides over the `resource` parameters of an exchange (RFC 8707 §2.2): each must be among the granted ones.
 *
 * A grant without resources accepts none.
 */
export function narrowResources(granted: readonly string[], requested: readonly string[]): GrantedResources {
  if (requested.length === 0) return { resources: granted };
  if (requested.length > mostResources) return { error: "A251309" };
  if (!requested.every((resource) => granted.includes(resource))) return { error: "A251309" };
  return { resources: [...new Set(requested)] };
}

/**
 * Refuses an audience of several resources for a JWT with scopes: no one could tell which resource a scope is for (RFC
 * 9068 §5).
 *
 * An opaque token is safe: introspection tells a resource server only what concerns it.
 */
export function forOneAudience(
  service: Service,
  target: GrantedResources,
  scopes: readonly string[],
): GrantedResources {
  if ("error" in target || service.settings.accessTokenSignAlg === undefined) return target;
  return target.resources.length > 1 && scopes.length > 0 ? { error: "A251310" } : target;
}
