import { LRUCache } from "lru-cache";
import type { KeySet, MonotonicClock, RemoteJwks } from "../engine/dependencies.ts";
import { fetchKeySet, RemoteJwksFailure } from "./fetch-key-set.ts";

export interface RemoteJwksOptions {
  readonly monotonicClock: MonotonicClock;
  /** PEM texts to trust instead of the system's authorities. */
  readonly ca?: readonly string[];
  /** Milliseconds for one fetch; default 2000. */
  readonly timeout?: number;
  /** Octets of a key set; default 65536. */
  readonly mostOctets?: number;
  /** Milliseconds: an older set is fetched again before it is used; default 60 000. */
  readonly maxAge?: number;
  /** Milliseconds: while it cannot be fetched, a set that is older than `maxAge` still counts until then; default 600 000. */
  readonly maxStale?: number;
  /** Milliseconds: one URL is asked at most so often, whatever strangers present; default 10 000. */
  readonly cooldown?: number;
}

/** A {@link RemoteJwks} that has fetches to end. */
export interface FetchingRemoteJwks extends RemoteJwks {
  /** Ends what runs; every question then open or asked that needs a fetch rejects with {@link RemoteJwksFailure}. */
  close(): void;
}

/** Sets kept; which is 64 MiB at most, and in practice a thousandth of it. */
const mostSets = 1000;

interface Entry {
  /** `askedAt`: when its request was sent, so that no change after that can be in it. */
  known?: { readonly keySet: KeySet; readonly askedAt: number };
  flight?: Promise<KeySet>;
  triedAt: number;
  failure?: RemoteJwksFailure;
}

/**
 * Keeps the key sets that clients have at a URL (RFC 7517 §5, RFC 8705 §2.2.2).
 *
 * A key that is new counts `cooldown` after it was put there at the latest, one that was taken away counts for `maxAge`
 * at most; `maxStale` while the URL does not answer. Questions that come while a fetch is under way wait for that one.
 *
 * @example const remoteJwks = createRemoteJwks({ monotonicClock: () => performance.now() })
 */
export function createRemoteJwks(options: RemoteJwksOptions): FetchingRemoteJwks {
  const { monotonicClock, ca, timeout = 2000, mostOctets = 65_536 } = options;
  const { maxAge = 60_000, maxStale = 600_000, cooldown = 10_000 } = options;
  const entries = new LRUCache<string, Entry>({ max: mostSets });
  const closing = new AbortController();

  function entryOf(uri: string): Entry {
    const known = entries.get(uri);
    if (known !== undefined) return known;
    const entry: Entry = { triedAt: -Infinity };
    entries.set(uri, entry);
    return entry;
  }

  async function fetchAnew(uri: string, entry: Entry): Promise<KeySet> {
    const askedAt = monotonicClock();
    entry.triedAt = askedAt;
    try {
      const limits = { timeout, mostOctets, signal: closing.signal, ...(ca !== undefined && { ca }) };
      const keySet = await fetchKeySet(uri, limits);
      entry.known = { keySet, askedAt };
      delete entry.failure;
      return keySet;
    } catch (error) {
      if (error instanceof RemoteJwksFailure) entry.failure = error;
      throw error;
    } finally {
      delete entry.flight;
    }
  }

  /** `undefined`: the URL was asked a moment ago. */
  function flightOf(uri: string, entry: Entry): Promise<KeySet> | undefined {
    if (entry.flight !== undefined) return entry.flight;
    if (monotonicClock() - entry.triedAt < cooldown) return undefined;
    return (entry.flight = fetchAnew(uri, entry));
  }

  return {
    async latest(uri) {
      const entry = entryOf(uri);
      const { known } = entry;
      const age = known === undefined ? Infinity : monotonicClock() - known.askedAt;
      if (known !== undefined && age < maxAge) return known.keySet;
      try {
        const flight = flightOf(uri, entry);
        if (flight === undefined) throw entry.failure ?? new RemoteJwksFailure("A client's key set is too old.");
        return await flight;
      } catch (error) {
        if (known !== undefined && age < maxStale && error instanceof RemoteJwksFailure) return known.keySet;
        throw error;
      }
    },
    async renewed(uri, known) {
      const entry = entryOf(uri);
      if (entry.known !== undefined && entry.known.keySet !== known) return entry.known.keySet;
      try {
        return (await flightOf(uri, entry)) ?? known;
      } catch (error) {
        if (error instanceof RemoteJwksFailure) return known;
        throw error;
      }
    },
    close() {
      closing.abort();
    },
  };
}
