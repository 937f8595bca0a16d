/** A JSON object, of whose members nothing is known. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Levels of objects and lists in each other. JSON.parse takes any number, JSON.stringify and others some thousands. */
const deepest = 100;

/**
 * The JSON object that a text is; `undefined` for any other text, and for one with more than 100 levels.
 *
 * @example readJsonObject('{"a":1}')
 */
export function readJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) && !isDeeperThan(deepest, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a JSON value is an object: neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(levels - 1, member));
}
