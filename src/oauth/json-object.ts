import { deepestNesting, isNestedWithin } from "./is-nested-within.ts";
import { hasMoreElements, mostJsonElements } from "./json-elements.ts";

/** A JSON object, of whose members nothing is known. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The JSON object that a text is; `undefined` for any other text, for one that is nested too deep to be handed on, and
 * for one of more than 2000 elements.
 *
 * @example readJsonObject('{"a":1}')
 */
export function readJsonObject(text: string): JsonObject | undefined {
  if (hasMoreElements(text, mostJsonElements)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) && isNestedWithin(deepestNesting, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a JSON value is an object: neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
