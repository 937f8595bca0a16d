/** A limit, because parsing takes about 0.5 µs for each element, and anyone may send JSON. */
export const mostJsonElements = 2000;

/**
 * Whether a JSON text has more than `most` elements: objects, arrays, members and entries (RFC 8259 §9 allows limits).
 *
 * Linear and without allocations. The result is meaningless if the text is not JSON.
 *
 * @example hasMoreElements('{"a":[1,2]}', 5) // false
 */
export function hasMoreElements(text: string, most: number): boolean {
  // The shortest element is a bracket or a comma.
  if (text.length <= most) return false;
  let elements = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) inString = !inString;
    else if (inString) {
      if (code === backslash) at += 1;
    } else if (code === comma || code === brace || code === bracket) {
      elements += 1;
      if (elements > most) return true;
    }
  }
  return false;
}

const [quote, backslash, comma, brace, bracket] = [0x22, 0x5c, 0x2c, 0x7b, 0x5b];

/** Deeper than any useful claim, patch or document, and far below the limit of the call stack. */
export const deepestNesting = 32;

/**
 * Whether a JSON value has at most `levels` levels of arrays and objects (RFC 8259 §9 allows limits).
 *
 * The parser accepts deeper values than recursive functions such as `JSON.stringify`, which would overflow the stack.
 *
 * @example isNestedWithin(deepestNesting, JSON.parse(text))
 */
export function isNestedWithin(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((member) => isNestedWithin(levels - 1, member));
}

/** A JSON object with unknown members. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Parses a JSON object; `undefined` if the text is not a JSON object, is nested too deeply, or has more than 2000
 * elements.
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

/**
 * Whether a member of a request is set: null, 0, false, "" and [] mean unset (Authlete's API).
 *
 * @example isSet("") // false
 */
export function isSet<Value>(value: Value): value is Exclude<NonNullable<Value>, "" | 0 | false> {
  if (value === undefined || value === null || value === 0 || value === false || value === "") return false;
  return !(Array.isArray(value) && value.length === 0);
}

/**
 * A string member of a request, or `undefined` if it is unset.
 *
 * @example setText(request.subject) // "alice"
 */
export function setText(member: string | null | undefined): string | undefined {
  return isSet(member) ? member : undefined;
}
