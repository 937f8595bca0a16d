import { z } from "zod";
import { ApiError } from "./api-error.ts";
import { type DocumentObject, schemaReference } from "./openapi-schemas.ts";

/** The body of every answer with a status of 400 or above. */
export const apiErrorBody = z
  .looseObject({
    resultCode: z.string().describe("What is wrong, as a code."),
    resultMessage: z.string().describe("The code in brackets and a sentence; for humans."),
  })
  .meta({
    id: "ApiErrorBody",
    description: "An error of the API's caller or of the backend; never an OAuth outcome.",
  });

interface ErrorAnswer {
  readonly description: string;
  readonly example: ApiError;
  readonly header?: { readonly name: string; readonly description: string };
}

/** The errors over HTTP, by status. */
const errorAnswers = {
  400: {
    description: "The request cannot be read: its body, its content type or its credentials.",
    example: new ApiError(400, "A126202", "/auth/token, the request body does not have the right shape: parameters."),
  },
  401: {
    description: "The caller of the API could not be authenticated.",
    example: new ApiError(401, "A001202", "The Authorization header is missing."),
    header: { name: "WWW-Authenticate", description: "The scheme of this path." },
  },
  403: {
    description: "The request needs something that this backend does not support.",
    example: new ApiError(403, "A001223", '/auth/token, "dpop" is not supported by this backend.'),
  },
  404: {
    description: "The path, or an object that it names, is unknown.",
    example: new ApiError(404, "A000201", "There is nothing at this path."),
  },
  405: {
    description: "The path does not support this method.",
    example: new ApiError(405, "A000201", "The method has to be one of: POST."),
    header: { name: "Allow", description: "The methods of this path." },
  },
  413: {
    description: "The request body is larger than 1 MiB.",
    example: new ApiError(413, "A000201", "The request body is larger than 1048576 octets."),
  },
  415: {
    description: "The request body has a content coding.",
    example: new ApiError(415, "A000201", "The request body has a content coding."),
    header: { name: "Accept-Encoding", description: "Always `identity`." },
  },
  500: {
    description: "The backend failed.",
    example: new ApiError(500, "A001101", "The request could not be processed."),
  },
  503: {
    description: "The backend cannot answer now.",
    example: new ApiError(503, "A001101", "The request could not be processed now."),
    header: { name: "Retry-After", description: "Seconds until a retry." },
  },
} as const satisfies Record<number, ErrorAnswer>;

export type ErrorStatus = keyof typeof errorAnswers;

export const errorStatuses = Object.keys(errorAnswers).map(Number) as ErrorStatus[];

/** The document's `components.responses`. */
export function exportErrorAnswers(): DocumentObject {
  return Object.fromEntries(
    Object.entries<ErrorAnswer>(errorAnswers).map(([status, answer]) => [`Error${status}`, errorAnswer(answer)]),
  );
}

/** The `responses` of an operation with these error statuses. */
export function errorReferences(statuses: readonly ErrorStatus[]): DocumentObject {
  return Object.fromEntries(statuses.map((status) => [status, { $ref: `#/components/responses/Error${status}` }]));
}

function errorAnswer({ description, example, header }: ErrorAnswer): DocumentObject {
  const { resultCode, resultMessage } = example;
  return {
    description,
    ...(header && {
      headers: { [header.name]: { description: header.description, schema: { type: "string" } } },
    }),
    content: { "application/json": { schema: schemaReference(apiErrorBody), example: { resultCode, resultMessage } } },
  };
}
