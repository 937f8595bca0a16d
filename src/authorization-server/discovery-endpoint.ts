import type { Operations } from "../contract/operations.ts";
import { askBackend, type OnBackendFailure } from "./ask-backend.ts";
import { answer, type Endpoint, type EndpointAnswer, refuseUnless } from "./endpoint.ts";

/** Public. The age is short, because keys change. */
const mayBeKept = { "cache-control": "public, max-age=60" } as const;

/** Minimum milliseconds between two calls to the backend. */
const interval = 1000;

/** Dependencies of a public document. */
export interface PublicDocumentParts {
  readonly onBackendFailure: OnBackendFailure | undefined;
  /** In milliseconds. */
  readonly monotonicClock: () => number;
}

/**
 * Creates the endpoint of a public document; `undefined` from the backend becomes 404.
 *
 * Requests within one second share one call to the backend, because anyone may send them. That includes failures, so a
 * failing backend is not called more often.
 *
 * @example publicDocument(() => backend.serviceJwksGet({}), { onBackendFailure, monotonicClock })
 */
export function publicDocument(ask: () => Promise<unknown>, parts: PublicDocumentParts): Endpoint {
  const { onBackendFailure, monotonicClock } = parts;
  let last: { readonly askedAt: number; readonly answer: Promise<EndpointAnswer> } | undefined;
  return (request) => {
    const refusal = refuseUnless("GET, HEAD", request);
    if (refusal !== undefined) return Promise.resolve(refusal);
    const now = monotonicClock();
    if (last === undefined || now - last.askedAt >= interval) {
      last = { askedAt: now, answer: askBackend(ask, onBackendFailure, documentAnswer) };
    }
    return last.answer;
  };
}

function documentAnswer(document: unknown): EndpointAnswer {
  if (document === undefined) return answer(404);
  const headers = { "content-type": "application/json", ...mayBeKept };
  return { status: 200, headers, body: JSON.stringify(document) };
}

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
 * Creates the endpoint of the metadata (RFC 8414 §3, OpenID Connect Discovery §4).
 *
 * @example nodeHandler({ "/.well-known/openid-configuration": discoveryEndpoint({ backend }) })
 */
export function discoveryEndpoint({ backend, onBackendFailure }: DiscoveryEndpointOptions): Endpoint {
  return publicDocument(() => backend.serviceConfiguration({}), { onBackendFailure, monotonicClock });
}

/**
 * Creates the endpoint of the public keys (RFC 7517 §5); 404 if the authorization server has none.
 *
 * @example nodeHandler({ "/jwks": jwksEndpoint({ backend }) })
 */
export function jwksEndpoint({ backend, onBackendFailure }: JwksEndpointOptions): Endpoint {
  return publicDocument(() => backend.serviceJwksGet({}), { onBackendFailure, monotonicClock });
}
