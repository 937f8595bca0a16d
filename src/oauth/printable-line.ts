/**
 * The text as one bounded line of printable ASCII, with `?` for everything else and `...` where it was cut, so that its
 * author can neither end the line nor colour it nor reverse its direction.
 *
 * @example printableLine("a\nb", 64) // "a?b"
 */
export function printableLine(text: string, longest: number): string {
  return (text.length > longest ? `${text.slice(0, longest)}...` : text).replace(/[^\x20-\x7e]/g, "?");
}
