import { ApiError } from "../../contract/api-error.ts";
import type { Operation } from "../../contract/operation.ts";
import { readForm } from "../../oauth/form.ts";

/** How the text of a form parameter becomes a member of the request. */
type MemberReader = (values: readonly string[]) => unknown;

/** Reads a form, from a body or a query, into the types of the operation's schema. */
export type FormBodyReader = (text: string) => Record<string, unknown>;

/** The contract's schemas, described; zod calls it their definition. */
interface Schema {
  readonly def: SchemaDefinition;
}
interface SchemaDefinition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly innerType?: Schema;
  readonly element?: Schema;
}

/**
 * Creates the reader of an operation's forms, sent as bodies or queries (Authlete's API): one parameter per member,
 * texts repeated, `scopes` separated by blanks. Structured members need JSON.
 *
 * The reader throws {@link ApiError} 400 `A126202`. The schema refuses a text in place of `true` or a number.
 *
 * @example createFormBodyReader(authIntrospection)("token=abc&scopes=read+write")
 */
export function createFormBodyReader(operation: Operation): FormBodyReader {
  const readers = new Map<string, MemberReader>();
  const repeatable: string[] = [];
  for (const [name, schema] of Object.entries((operation.request as Schema).def.shape ?? {})) {
    const definition = withoutWrapping(schema.def);
    readers.set(name, memberReader(name, definition));
    if (definition.type === "array") repeatable.push(name);
  }
  return (text) => {
    const form = readForm(text, { repeatable });
    if ("error" in form) {
      const named = form.parameter === undefined ? "" : `, at "${form.parameter}"`;
      throw new ApiError(400, "A126202", `${operation.path}, the form is ${form.error}${named}.`);
    }
    const request: Record<string, unknown> = {};
    for (const [name, read] of readers) {
      const values = form.getAll(name);
      if (values.length > 0) request[name] = read(values);
    }
    return request;
  };
}

function withoutWrapping(definition: SchemaDefinition): SchemaDefinition {
  return definition.innerType === undefined ? definition : withoutWrapping(definition.innerType.def);
}

function memberReader(name: string, { type, element }: SchemaDefinition): MemberReader {
  if (type === "boolean") return ([text]) => (text === "true" ? true : text === "false" ? false : text);
  if (type === "number") return ([text = ""]) => (/^-?[0-9]{1,16}$/.test(text) ? Number(text) : text);
  if (type !== "array" || element?.def.type !== "string") return ([text]) => text;
  return name === "scopes" ? (texts) => texts.flatMap(words) : (texts) => texts;
}

function words(text: string): string[] {
  return text.split(" ").filter((word) => word !== "");
}
