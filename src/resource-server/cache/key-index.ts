/** Finds things by the invalidation keys that they rest on. */
export interface KeyIndex<Thing> {
  add(keys: readonly string[], thing: Thing): void;
  remove(keys: readonly string[], thing: Thing): void;
  /** All that rest on any of these, each once; the result is the caller's own. */
  under(keys: readonly string[]): ReadonlySet<Thing>;
  readonly size: number;
}

/**
 * Creates an index of things by key; a key under which nothing is left takes no room.
 *
 * @example index.add(["token:a", "grant:1"], entry); index.under(["grant:1"]) // Set { entry }
 */
export function createKeyIndex<Thing>(): KeyIndex<Thing> {
  const things = new Map<string, Set<Thing>>();
  return {
    add(keys, thing) {
      for (const key of keys) {
        const known = things.get(key);
        if (known === undefined) things.set(key, new Set([thing]));
        else known.add(thing);
      }
    },
    remove(keys, thing) {
      for (const key of keys) {
        const known = things.get(key);
        if (known?.delete(thing) === true && known.size === 0) things.delete(key);
      }
    },
    under(keys) {
      const found = new Set<Thing>();
      for (const key of keys) for (const thing of things.get(key) ?? []) found.add(thing);
      return found;
    },
    get size() {
      return things.size;
    },
  };
}
