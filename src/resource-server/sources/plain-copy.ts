import { IntrospectionMalformed } from "../refusal/introspection-unavailable.ts";

const longestPath = 80;

/**
 * A copy of a value of plain objects, arrays, texts, numbers, booleans and nothing: what a source keeps, and a getter
 * that answers otherwise the next time, cannot change it. Iterative, since depth is the sender's choice.
 *
 * What `isOurs` calls ours (frozen, plain) is not copied. Throws {@link IntrospectionMalformed}, naming the member, for
 * anything else: a `Map` that is frozen can still be changed, and a `Date` is no instant in seconds.
 *
 * @example plainCopy("record", record, (value) => judged.has(value))
 */
export function plainCopy(name: string, value: unknown, isOurs: (value: object) => boolean = () => false): unknown {
  const copies = new Map<object, object>();
  const open: { readonly from: object; readonly to: object; readonly path: string }[] = [];

  function copyOf(path: string, one: unknown): unknown {
    if (typeof one !== "object" || one === null) {
      if (["function", "symbol", "bigint"].includes(typeof one)) throw notPlain(path);
      return one;
    }
    if (isOurs(one)) return one;
    const known = copies.get(one);
    if (known !== undefined) return known;
    const prototype: unknown = Object.getPrototypeOf(one);
    if (!Array.isArray(one) && prototype !== Object.prototype && prototype !== null) throw notPlain(path);
    const to: object = Array.isArray(one) ? [] : {};
    copies.set(one, to);
    open.push({ from: one, to, path });
    return to;
  }

  const copy = copyOf(name, value);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const [key, inner] of Object.entries(next.from)) {
      const path = `${next.path}.${key}`.slice(0, longestPath);
      // Not by assignment: `__proto__` is a name like any other.
      const member = { value: copyOf(path, inner), enumerable: true, writable: true, configurable: true };
      Object.defineProperty(next.to, key, member);
    }
  }
  return copy;
}

function notPlain(path: string): IntrospectionMalformed {
  return new IntrospectionMalformed(`${path} is no plain object, array, text, number or boolean`);
}
