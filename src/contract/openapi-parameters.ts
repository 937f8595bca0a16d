import { exportSchemas, idOf, type Json, type JsonObject } from "./openapi-schemas.ts";
import { pathMembers, type Operation } from "./operation.ts";

/** The members of a request without a body, as the parameters of path and query that they are. */
export function exportParameters(operation: Operation): JsonObject[] {
  if (operation.request.meta()?.id === undefined) return [];
  const { properties = {}, required = [] } = exportSchemas([operation.request])[idOf(operation.request)] as {
    readonly properties?: Readonly<Record<string, JsonObject>>;
    readonly required?: readonly string[];
  };
  const example = (operation.example.request ?? {}) as Readonly<Record<string, Json>>;
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

/** A parameter that is absent is left out: there is no `null` in a URL. */
function withoutNull({ type, enum: values, ...schema }: JsonObject): JsonObject {
  const [first] = Array.isArray(type) ? (type as readonly Json[]) : [type];
  return {
    ...(first !== undefined && { type: first }),
    ...(Array.isArray(values) && { enum: (values as readonly Json[]).filter((value) => value !== null) }),
    ...schema,
  };
}
