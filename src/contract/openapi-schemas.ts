import { z } from "zod";

/** A JSON value in an OpenAPI document. */
export type DocumentValue =
  string | number | boolean | null | readonly DocumentValue[] | { readonly [member: string]: DocumentValue };
export type DocumentObject = Record<string, DocumentValue>;

const defined = "#/$defs/";
const component = "#/components/schemas/";

/**
 * Exports schemas for an OpenAPI 3.1 document, by `id`: the given ones and all that they refer to.
 *
 * @example exportSchemas([tokenRequest])["TokenRequest"]
 */
export function exportSchemas(schemas: readonly z.ZodType[]): DocumentObject {
  const named = new Map<string, DocumentValue>();
  for (const schema of schemas) {
    // The schemas transform nothing, so input and output are equal; but only "input" allows additional members.
    const exported = z.toJSONSchema(schema, { target: "draft-2020-12", io: "input", override: flatten });
    for (const [id, definition] of Object.entries(exported.$defs ?? {}))
      named.set(id, readdress(definition as DocumentValue));
  }
  return Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The reference to a schema of {@link exportSchemas}. */
export function schemaReference(schema: z.ZodType): DocumentObject {
  return { $ref: component + idOf(schema) };
}

/** The name of a schema in the document. Throws a `TypeError` if it has none. */
export function idOf(schema: z.ZodType): string {
  const id = schema.meta()?.id;
  if (id === undefined) throw new TypeError("A schema of the contract has no id.");
  return id;
}

/** Replaces zod's `anyOf` by `type: [string, "null"]`, because code generators create a union type for each `anyOf`. */
function flatten({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  const [kept, nothing] = jsonSchema.anyOf ?? [];
  if (jsonSchema.anyOf?.length === 2 && typeof kept?.type === "string" && nothing?.type === "null") {
    delete jsonSchema.anyOf;
    const { type, enum: values, ...rest } = kept;
    Object.assign(jsonSchema, { type: [type, "null"], ...rest }, values && { enum: [...values, null] });
  }
  // Means the same as `{}`, but every generator understands it.
  if (isEmptyObject(jsonSchema.additionalProperties)) jsonSchema.additionalProperties = true;
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function readdress(value: DocumentValue): DocumentValue {
  if (Array.isArray(value)) return (value as readonly DocumentValue[]).map(readdress);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === "$ref" && typeof member === "string" ? member.replace(defined, component) : readdress(member),
    ]),
  );
}
