/** Caches what was read from an exact input; evicts the least recently used. */
export interface CertificateMemo<Value> {
  get(key: string): Value | undefined;
  /** `size`: the memory of this entry, in octets. */
  set(key: string, value: Value, size: number): void;
}

/**
 * Creates a memo with two bounds: the number of entries, and their octets in total.
 *
 * @example createCertificateMemo<ReadCertificate>({ maxEntries: 1000, maxOctets: 8_000_000 })
 */
export function createCertificateMemo<Value>(bounds: {
  readonly maxEntries: number;
  readonly maxOctets: number;
}): CertificateMemo<Value> {
  // A Map keeps the order in which keys were set: the first is the least recently used.
  const entries = new Map<string, { readonly value: Value; readonly size: number }>();
  let octets = 0;

  function remove(key: string): void {
    octets -= entries.get(key)?.size ?? 0;
    entries.delete(key);
  }

  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value, size) {
      remove(key);
      if (size > bounds.maxOctets) return;
      entries.set(key, { value, size });
      octets += size;
      for (const oldest of entries.keys()) {
        if (entries.size <= bounds.maxEntries && octets <= bounds.maxOctets) return;
        remove(oldest);
      }
    },
  };
}
