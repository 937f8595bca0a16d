/** One range of an Accept header with its weight. */
interface MediaRange {
  readonly type: string;
  readonly weight: number;
}

/**
 * Whether an Accept header prefers a special media type to the usual one (RFC 9110 §12.5.1).
 *
 * The special type must be named: wildcards count for the usual type. At equal weights the special type wins. A weight of
 * 0 rejects it. Ranges with a malformed weight are ignored.
 *
 * @example prefersMediaType("application/token-introspection+jwt, application/json;q=0.5", signed, "application/json") // true
 */
export function prefersMediaType(accept: string, special: string, usual: string): boolean {
  const ranges = accept.split(",").flatMap(readRange);
  const wanted = weightOf(ranges, [special]);
  if (wanted === undefined || wanted === 0) return false;
  const family = `${usual.split("/")[0] ?? ""}/*`;
  return wanted >= (weightOf(ranges, [usual, family, "*/*"]) ?? 0);
}

/** The weight of the first of these types that is present; if it is repeated, the highest weight. */
function weightOf(ranges: readonly MediaRange[], types: readonly string[]): number | undefined {
  for (const type of types) {
    const weights = ranges.filter((range) => range.type === type).map(({ weight }) => weight);
    if (weights.length > 0) return Math.max(...weights);
  }
  return undefined;
}

function readRange(text: string): MediaRange[] {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const given = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1";
  return /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(given) ? [{ type, weight: Number(given) }] : [];
}
