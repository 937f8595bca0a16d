/** White space and line breaks of any kind, which compare as a blank (RFC 4518 §2.2). */
const blanks = /[\t\n\v\f\r\u0085\p{Z}]/gu;

/** Unassigned, private, unpaired; controls; and what is not seen at all (RFC 4518 §2.4, and §2.2: see below). */
const notComparable = /[\p{Cn}\p{Co}\p{Cs}\p{Cc}\p{Cf}\p{Variation_Selector}\u034F\uFFFC\uFFFD]/u;

/** Characters. */
const longestText = 1024;

/**
 * Normalising takes time that grows with the square of the accents on one letter, and anyone may ask: 3 ms for a
 * thousand. More than 30 in a row are in no text (Stream-Safe Text Format, UAX #15 §13).
 */
const tooManyAccents = /\p{M}{31}/u;

/**
 * Prepares a text for caseIgnoreMatch: two texts match when this makes the same of both (RFC 4518, RFC 4517 §4.2.11).
 *
 * `undefined`: the text matches nothing, itself included. That goes for what is longer than 1024 characters, for more
 * than 30 accents on one letter, for prohibited characters, and here, more strictly than RFC 4518 §2.2, for controls and
 * invisible characters too: a name that is seen as another, and an authority may have taken for another, is not to pass
 * for it.
 *
 * @example prepareString("  Acme   GmbH ") // "acme gmbh"
 */
export function prepareString(text: string): string | undefined {
  if (text.length > longestText) return undefined;
  // Nearly every name: nothing to normalise, and nothing that is not seen.
  if (/^[\x20-\x7E]*$/.test(text)) return squeeze(text.toLowerCase());
  const spaced = text.replaceAll(blanks, " ");
  if (notComparable.test(spaced) || tooManyAccents.test(spaced)) return undefined;
  const folded = foldCase(spaced.normalize("NFKC")).normalize("NFKC");
  return notComparable.test(folded) ? undefined : squeeze(folded);
}

/** Each character for itself: within a word `toLowerCase` writes a final sigma otherwise than in the middle. */
function foldCase(text: string): string {
  let folded = "";
  for (const character of text) {
    // The capital of a dotless i is an I, and yet the two are different letters (RFC 3454 B.2 leaves it alone).
    folded += character === "ı" ? character : character.toLowerCase().toUpperCase().toLowerCase();
  }
  return folded;
}

/** RFC 4518 §2.6.1: blanks around do not count, several count as one; a blank that carries an accent is none. */
function squeeze(text: string): string {
  return text
    .replaceAll(/ +(?!\p{M})/gu, " ")
    .replace(/^ (?!\p{M})/u, "")
    .replace(/ $/, "");
}
