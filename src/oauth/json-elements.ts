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
