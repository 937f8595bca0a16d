import type { Operations } from "../contract/operations.ts";
import { askBackend, type OnBackendFailure } from "./ask-backend.ts";
import { answer, type Endpoint, type EndpointAnswer, refuseUnless } from "./endpoint.ts";

/** Public, and the same for everybody; short, for keys are changed. In seconds. */
const mayBeKept = { "cache-control": "public, max-age=60" } as const;

/** Milliseconds: the backend is asked at most so often, however many ask for the document. */
const interval = 1000;

/** What is handed in beside the question. */
export interface PublicDocumentParts {
  readonly onBackendFailure: OnBackendFailure | undefined;
  /** Milliseconds that never run backwards. */
  readonly monotonicClock: () => number;
}

/**
 * Makes the endpoint of a document that is the same for everybody; `undefined` from the backend is 404.
 *
 * Anyone may ask, so all who ask within a second get one answer, and a failure counts as one: a backend that is down is not
 * asked more often than one that answers.
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
