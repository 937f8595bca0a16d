/**
 * Decodes one name or value of application/x-www-form-urlencoded text: `+` is a blank, `%XX` an octet of UTF-8.
 *
 * Answers `undefined` for what other readers repair: a bad percent sequence, octets that are not UTF-8, half a
 * surrogate pair, U+FFFD as itself (it stands where an octet was lost). RFC 6749 App. B. Control characters are
 * text like any other: a token full of them is well-formed, and unknown (RFC 7662 §2.2).
 *
 * @example decodeFormComponent("a+b%C3%A9") // "a bé"
 */
export function decodeFormComponent(text: string): string | undefined {
  if (!text.isWellFormed() || text.includes("\uFFFD")) return undefined;
  return text.includes("%") || text.includes("+") ? decodeEscapes(text) : text;
}

function decodeEscapes(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
