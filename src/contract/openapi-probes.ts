import { errorReferences } from "./openapi-error-answers.ts";
import type { DocumentObject } from "./openapi-schemas.ts";

const ready =
  "Returns `OK` while the backend answers requests: the store can be read and written, its schema fits this version, the clock is not behind, and the backend is neither starting nor stopping. Otherwise it names the failed checks. The checks run at most once a second.";

/** The probes, which need no credentials. */
export const probePaths: DocumentObject = {
  "/livez": {
    get: probe({
      operationId: "livez",
      summary: "Whether the backend needs a restart",
      description: "Returns `OK` unless only a restart of the process would help; also during start and stop.",
      otherwise: { description: "It needs a restart.", example: "NOT ALIVE: store-writer" },
    }),
  },
  "/readyz": {
    get: probe({
      operationId: "readyz",
      summary: "Whether the backend answers requests",
      description: ready,
      otherwise: { description: "It does not at the moment.", example: "NOT READY: store-write" },
    }),
  },
  "/api/lifecycle/healthcheck": {
    get: probe({
      operationId: "lifecycle_healthcheck_api",
      summary: "Whether the backend answers requests",
      description: `The same as \`/readyz\`, under the API's own name. ${ready}`,
      otherwise: { description: "It does not at the moment.", example: "NOT READY: stopping" },
    }),
  },
};

interface Probe {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly otherwise: { readonly description: string; readonly example: string };
}

function probe({ operationId, summary, description, otherwise }: Probe): DocumentObject {
  return {
    operationId,
    tags: ["backend"],
    summary,
    description,
    security: [],
    responses: {
      200: { description: "It does.", content: plainText("OK") },
      ...errorReferences([405, 500]),
      503: { description: otherwise.description, content: plainText(otherwise.example) },
    },
  };
}

function plainText(example: string): DocumentObject {
  return { "text/plain": { schema: { type: "string" }, example } };
}
