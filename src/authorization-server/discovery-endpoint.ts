import type { Operations } from "../contract/operations.ts";
import type { OnBackendFailure } from "./ask-backend.ts";
import type { Endpoint } from "./endpoint.ts";
import { publicDocument } from "./public-document.ts";

/** The options of `discoveryEndpoint`. */
export interface DiscoveryEndpointOptions {
  readonly backend: Pick<Operations, "serviceConfiguration">;
  readonly onBackendFailure?: OnBackendFailure;
}

/** The options of `jwksEndpoint`. */
export interface JwksEndpointOptions {
  readonly backend: Pick<Operations, "serviceJwksGet">;
  readonly onBackendFailure?: OnBackendFailure;
}

const monotonicClock = (): number => performance.now();

/**
 * What the authorization server is and can do (RFC 8414 §3, OpenID Connect Discovery §4).
 *
 * @example nodeHandler({ "/.well-known/openid-configuration": discoveryEndpoint({ backend }) })
 */
export function discoveryEndpoint({ backend, onBackendFailure }: DiscoveryEndpointOptions): Endpoint {
  return publicDocument(() => backend.serviceConfiguration({}), { onBackendFailure, monotonicClock });
}

/**
 * The public keys of the authorization server (RFC 7517 §5); 404 when it has none.
 *
 * @example nodeHandler({ "/jwks": jwksEndpoint({ backend }) })
 */
export function jwksEndpoint({ backend, onBackendFailure }: JwksEndpointOptions): Endpoint {
  return publicDocument(() => backend.serviceJwksGet({}), { onBackendFailure, monotonicClock });
}
