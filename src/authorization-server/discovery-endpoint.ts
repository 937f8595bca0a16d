import type { Operations } from "../contract/operations.ts";
import { askBackend, type OnBackendFailure } from "./ask-backend.ts";
import { answer, refuseUnless, type Endpoint } from "./endpoint.ts";

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

/** Public, and the same for everybody; short, for keys are changed. In seconds. */
const mayBeKept = { "cache-control": "public, max-age=60" } as const;

/**
 * What the authorization server is and can do (RFC 8414 §3, OpenID Connect Discovery §4).
 *
 * @example nodeHandler({ "/.well-known/openid-configuration": discoveryEndpoint({ backend }) })
 */
export function discoveryEndpoint({ backend, onBackendFailure }: DiscoveryEndpointOptions): Endpoint {
  return publicDocument(() => backend.serviceConfiguration({}), onBackendFailure);
}

/**
 * The public keys of the authorization server (RFC 7517 §5); 404 when it has none.
 *
 * @example nodeHandler({ "/jwks": jwksEndpoint({ backend }) })
 */
export function jwksEndpoint({ backend, onBackendFailure }: JwksEndpointOptions): Endpoint {
  return publicDocument(() => backend.serviceJwksGet({}), onBackendFailure);
}

function publicDocument(ask: () => Promise<unknown>, onBackendFailure: OnBackendFailure | undefined): Endpoint {
  return async (request) =>
    refuseUnless("GET, HEAD", request) ??
    askBackend(ask, onBackendFailure, (document) =>
      document === undefined
        ? answer(404)
        : {
            status: 200,
            headers: { "content-type": "application/json", ...mayBeKept },
            body: JSON.stringify(document),
          },
    );
}
