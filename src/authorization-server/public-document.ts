import { askBackend, type OnBackendFailure } from "./ask-backend.ts";
import { answer, refuseUnless, type Endpoint, type EndpointAnswer } from "./endpoint.ts";

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
