/**
 * Decodes one name or value of application/x-www-form-urlencoded text: `+` is a blank, `%XX` an octet of UTF-8.
 *
 * Answers `undefined` for what other readers repair: a bad percent sequence, octets that are not UTF-8, half a
 * surrogate pair, U+FFFD as itself (it stands where an octet was lost), NUL. RFC 6749 App. B.
 *
 * @example decodeFormComponent("a+b%C3%A9") // "a bé"
 */
export function decodeFormComponent(text: string): string | undefined {
  if (!text.isWellFormed() || text.includes("\uFFFD")) return undefined;
  const decoded = text.includes("%") || text.includes("+") ? decodeEscapes(text) : text;
  return decoded?.includes("\0") === true ? undefined : decoded;
}

function decodeEscapes(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
