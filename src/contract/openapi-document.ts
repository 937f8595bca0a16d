import { z } from "zod";
import { longestCursor } from "./auth-introspection-events.ts";
import {
  apiErrorBody,
  errorReferences,
  type ErrorStatus,
  errorStatuses,
  exportErrorAnswers,
} from "./openapi-error-answers.ts";
import { probePaths } from "./openapi-probes.ts";
import { exportSchemas, idOf, type DocumentValue, type DocumentObject, schemaReference } from "./openapi-schemas.ts";
import { type EventStream, mayAnswerNothing, type Operation, pathMembers } from "./operation.ts";
import { operations, streams } from "./operations.ts";

const cursor: DocumentObject = { type: "string", maxLength: longestCursor };

/**
 * The parameters and responses of a stream of events.
 *
 * In OpenAPI 3.1 the response is one string; `x-event-data` has the schema of `data` for each event type. The schemas are
 * inline, because linters report components that only an extension refers to as unused.
 */
function streamOperation({ events, example }: EventStream): DocumentObject {
  return {
    parameters: [
      {
        name: "Last-Event-ID",
        in: "header",
        description: "The `id` of the last processed event, to continue after it; overrides `cursor`.",
        schema: cursor,
      },
      { name: "cursor", in: "query", description: "The same, for callers that cannot set headers.", schema: cursor },
    ],
    responses: {
      200: {
        description: "The stream, which continues until one side ends it.",
        content: {
          "text/event-stream": {
            schema: { type: "string", description: "Server-sent events, UTF-8." },
            example,
            "x-event-data": Object.fromEntries(
              Object.entries(events).map(([type, schema]) => [type, exportSchemas([schema])[idOf(schema)] ?? {}]),
            ),
          },
        },
      },
      ...errorReferences([400, 401, 404, 405, 500, 503]),
    },
  };
}

/** `v3`: `/api/{serviceId}/…` with a service access token. `v2`: `/api/…` with a service's key and secret. */
export type ApiShape = "v2" | "v3";

const tags = {
  auth: "Calls of an authorization server and its resource servers for each OAuth request.",
  service: "Documents that an authorization server publishes.",
  backend: "The backend itself.",
} as const;

const credentials = {
  v3: {
    name: "bearer",
    scheme: { type: "http", scheme: "bearer", description: "A service access token of the service in the path." },
  },
  v2: {
    name: "basic",
    scheme: { type: "http", scheme: "basic", description: "The service's API key and API secret." },
  },
} as const;

/**
 * The HTTP API as an OpenAPI 3.1 document, made from the operations' schemas.
 *
 * @example createOpenapiDocument({ shape: "v3", version: "0.1.0" })
 */
export function createOpenapiDocument({ shape, version }: { shape: ApiShape; version: string }): DocumentObject {
  const all: Operation[] = Object.values(operations);
  const streaming: EventStream[] = Object.values(streams);
  const schemas = exportSchemas([...all.flatMap(schemasOf), apiErrorBody]);
  const { name, scheme } = credentials[shape];
  return {
    openapi: "3.1.0",
    info: {
      title: "certbound",
      version,
      summary: "OAuth 2.0 access tokens bound to the client's TLS certificate (RFC 8705).",
      description: `${about} ${aboutShape[shape]}`,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "http://127.0.0.1:8705", description: "Where the backend listens unless configured otherwise." }],
    tags: Object.entries(tags).map(([tag, description]) => ({ name: tag, description })),
    paths: {
      ...pathItems(all, shape),
      ...Object.fromEntries(
        streaming.map((stream) => [
          pathOf(stream, shape),
          { ...parametersOf(stream, shape), get: { ...headOf(stream, shape), ...streamOperation(stream) } },
        ]),
      ),
      ...probePaths,
    },
    components: {
      securitySchemes: { [name]: scheme },
      ...(shape === "v3" && { parameters: { serviceId } }),
      schemas: shape === "v2" ? withTypes(schemas, all) : schemas,
      responses: exportErrorAnswers(),
    },
  };
}

const about =
  "A processed call gets the status 200, whatever the OAuth outcome: `action` says what the caller does next, and `responseContent` with which text. Any other status means that the call itself failed. Answers may gain members; ignore unknown ones. Every answer has `X-Request-Id`, which is also in the backend's log.";

const aboutShape = {
  v3: "This document has the paths with the service's id; openapi-v2.yaml has the same operations without it.",
  v2: "This document has the paths without the service's id; openapi.yaml has the same operations with it.",
} as const;

const serviceId: DocumentObject = {
  name: "serviceId",
  in: "path",
  required: true,
  description: "The id of the service.",
  schema: { type: "integer", format: "int64" },
  example: 3_693_555_439,
};

type Described = Pick<Operation, "operationId" | "path" | "caller" | "summary" | "description">;

function pathOf(operation: Described, shape: ApiShape): string {
  return `/api${shape === "v3" && operation.caller === "service" ? "/{serviceId}" : ""}${operation.path}`;
}

/** Operations with the same path share one path item. */
function pathItems(all: readonly Operation[], shape: ApiShape): DocumentObject {
  const items: Record<string, DocumentObject> = {};
  for (const operation of all) {
    const path = pathOf(operation, shape);
    items[path] = { ...items[path], ...pathItem(operation, shape) };
  }
  return items;
}

function pathItem(operation: Operation, shape: ApiShape): DocumentObject {
  const parameters = takesBody(operation) ? [] : exportParameters(operation);
  return {
    ...parametersOf(operation, shape),
    [operation.method.toLowerCase()]: {
      ...headOf(operation, shape),
      ...(parameters.length > 0 && { parameters }),
      ...(takesBody(operation) && {
        requestBody: { required: true, content: json(operation.request, operation.example.request as DocumentValue) },
      }),
      responses: { ...answers(operation, shape), ...errorReferences(errorsOf(operation)) },
    },
  };
}

function answers(operation: Operation, shape: ApiShape): DocumentObject {
  const { example } = operation;
  const response = answered(operation);
  return {
    ...(response && {
      200: { description: "The outcome.", content: json(response, exampleAnswer(operation, shape)) },
    }),
    ...(mayAnswerNothing(operation) && {
      204: { description: example.response === undefined ? "Done." : "There is no document." },
    }),
  };
}

function errorsOf(operation: Operation): readonly ErrorStatus[] {
  if (operation.caller === "none") return [405, 500, 503];
  return takesBody(operation) ? errorStatuses : errorStatuses.filter((status) => status !== 413 && status !== 415);
}

function parametersOf({ caller }: Described, shape: ApiShape): DocumentObject {
  return caller === "service" && shape === "v3" ? { parameters: [{ $ref: "#/components/parameters/serviceId" }] } : {};
}

/** The members that all operations have. */
function headOf({ operationId, path, caller, summary, description }: Described, shape: ApiShape): DocumentObject {
  const asService = caller === "service";
  return {
    operationId,
    tags: [!asService ? "backend" : path.startsWith("/service/") ? "service" : "auth"],
    summary,
    description,
    security: asService ? [{ [credentials[shape].name]: [] }] : [],
  };
}

function json(schema: z.ZodType, example: DocumentValue): DocumentObject {
  return { "application/json": { schema: schemaReference(schema), example } };
}

/** The operation's example on the wire: v2 bodies also have a `type`. */
function exampleAnswer({ example, v2Type }: Operation, shape: ApiShape): DocumentValue {
  const answer = example.response as DocumentObject;
  return shape === "v2" && v2Type !== undefined ? { type: v2Type, ...answer } : answer;
}

function withTypes(schemas: DocumentObject, all: readonly Operation[]): DocumentObject {
  const typed = all.flatMap(({ response, v2Type }) => {
    if (v2Type === undefined) return [];
    const id = idOf(response);
    const { properties, ...schema } = schemas[id] as DocumentObject;
    const type = { type: "string", enum: [v2Type], description: "The type of the answer." };
    return [[id, { ...schema, properties: { type, ...(properties as DocumentObject) } }]];
  });
  return { ...schemas, ...(Object.fromEntries(typed) as DocumentObject) };
}

function takesBody({ method, request }: Operation): boolean {
  return method === "POST" && !(request instanceof z.ZodUndefined);
}

/** The schema of the 200 response, if there is one. */
function answered({ response }: Operation): z.ZodType | undefined {
  if (response instanceof z.ZodUndefined) return undefined;
  return response instanceof z.ZodOptional ? (response.unwrap() as z.ZodType) : response;
}

function schemasOf(operation: Operation): z.ZodType[] {
  const response = answered(operation);
  return [...(takesBody(operation) ? [operation.request] : []), ...(response ? [response] : [])];
}

/** The members of a request without a body, as path and query parameters. */
function exportParameters(operation: Operation): DocumentObject[] {
  if (operation.request.meta()?.id === undefined) return [];
  const { properties = {}, required = [] } = exportSchemas([operation.request])[idOf(operation.request)] as {
    readonly properties?: Readonly<Record<string, DocumentObject>>;
    readonly required?: readonly string[];
  };
  const example = (operation.example.request ?? {}) as Readonly<Record<string, DocumentValue>>;
  const inPath = pathMembers(operation);
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: inPath.includes(name) ? "path" : "query",
    required: inPath.includes(name) || required.includes(name),
    ...(description !== undefined && { description }),
    schema: withoutNull(schema),
    ...(example[name] !== undefined && { example: example[name] }),
  }));
}

/** Removes `null` from a parameter's schema, because a URL has no `null`. */
function withoutNull({ type, enum: values, ...schema }: DocumentObject): DocumentObject {
  const [first] = Array.isArray(type) ? (type as readonly DocumentValue[]) : [type];
  return {
    ...(first !== undefined && { type: first }),
    ...(Array.isArray(values) && { enum: (values as readonly DocumentValue[]).filter((value) => value !== null) }),
    ...schema,
  };
}
