/** Parsing takes about half a microsecond for each element, and anyone may send JSON to be parsed. */
export const mostJsonElements = 2000;

/**
 * Whether a JSON text has more than so many elements: objects, arrays, their members and their entries.
 *
 * Looks at each character once and allocates nothing; for a text that is not JSON the result has no meaning. RFC 8259
 * §9 allows limits.
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

/** Deeper than any claim, patch or document that means something, and far from what a call stack can hold. */
export const deepestNesting = 32;

/**
 * Whether a JSON value has no more than so many levels of arrays and objects (RFC 8259 §9 allows a limit).
 *
 * A parser takes far deeper texts than whatever walks through the value afterwards, a writer of JSON among them: that
 * would fail for want of stack.
 *
 * @example isNestedWithin(deepestNesting, JSON.parse(text))
 */
export function isNestedWithin(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((member) => isNestedWithin(levels - 1, member));
}

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

/**
 * Whether a member of a request says something: null, 0, false, "" and [] mean that it is unset (Authlete's API).
 *
 * @example isSet("") // false
 */
export function isSet<Value>(value: Value): value is Exclude<NonNullable<Value>, "" | 0 | false> {
  if (value === undefined || value === null || value === 0 || value === false || value === "") return false;
  return !(Array.isArray(value) && value.length === 0);
}

/**
 * A text member of a request, or `undefined` when it is unset.
 *
 * @example setText(request.subject) // "alice"
 */
export function setText(member: string | null | undefined): string | undefined {
  return isSet(member) ? member : undefined;
}
