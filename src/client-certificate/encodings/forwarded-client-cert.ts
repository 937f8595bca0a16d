/** The pairs of one element, in order; a key may be there more than once. Keys are in lower case. */
export type ForwardedElement = readonly (readonly [key: string, value: string])[];

/** More than any path of proxies has, and more pairs than Envoy knows. */
const mostElements = 32;
const mostPairs = 1024;

/** One pair, from where the last ended: a key, `=`, and a value in quotes or up to the next separator. */
const pair = /([A-Za-z]+)=(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^",;]*))([,;]|$)/y;

/**
 * Reads the list that Envoy writes into `x-forwarded-client-cert`: elements by commas, pairs by semicolons, values in
 * quotes where they hold either. `undefined` for what is not such a list.
 *
 * In quotes a backslash takes the next character with it, as in the distinguished names that stand there; a name
 * cannot end its quotes. What stands in no quotes can be anything without a separator or a quote.
 *
 * @example readForwardedClientCert('By=spiffe://a;Hash=9add…;Subject="CN=a,O=b",By=spiffe://b;Hash=…') // two elements
 */
export function readForwardedClientCert(value: string): readonly ForwardedElement[] | undefined {
  const elements: (readonly [string, string])[][] = [[]];
  let at = 0;
  for (let pairs = 0; pairs < mostPairs; pairs += 1) {
    pair.lastIndex = at;
    const found = pair.exec(value);
    if (found === null) return undefined;
    const [, key = "", quoted, bare = "", separator] = found;
    elements.at(-1)?.push([key.toLowerCase(), quoted?.replaceAll(/\\(.)/g, "$1") ?? bare]);
    if (separator === "") return elements;
    at = pair.lastIndex;
    if (separator === ",") {
      if (elements.length === mostElements) return undefined;
      // A list may have blanks after its commas (RFC 9110 §5.6.1).
      while (value[at] === " " || value[at] === "\t") at += 1;
      elements.push([]);
    }
  }
  return undefined;
}

/**
 * The only value of a key; `undefined` when it is not there, `null` when it is there twice.
 *
 * @example onlyPair([["hash", "9add…"]], "hash") // "9add…"
 */
export function onlyPair(element: ForwardedElement, key: string): string | null | undefined {
  const values = element.filter(([name]) => name === key);
  return values.length > 1 ? null : values[0]?.[1];
}
