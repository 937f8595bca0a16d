/** The header in which an API caller names the address of the OAuth client that it asks for. */
export const clientAddressHeader = "x-forwarded-for";

/** An IPv4 or IPv6 address, an IPv6 one perhaps with its zone: nothing else can be in it. */
const shape = /^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%[0-9A-Za-z]{1,16})?)$/;
const longest = 64;

/**
 * The client's address as an API caller names it: the first of a list separated by commas, `undefined` for anything
 * but an address. It is for the log only: a caller may write anything there.
 *
 * @example readClientAddress("203.0.113.7, 10.0.0.1") // "203.0.113.7"
 */
export function readClientAddress(text: unknown): string | undefined {
  if (typeof text !== "string") return undefined;
  const comma = text.indexOf(",");
  const first = (comma === -1 ? text : text.slice(0, comma)).trim();
  return first.length <= longest && shape.test(first) ? first : undefined;
}
