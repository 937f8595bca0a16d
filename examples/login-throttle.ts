import { createHash } from "node:crypto";

/**
 * Slows down password guesses by address and by name, in the memory of one process. Several processes need a shared table.
 *
 * Each address has a few free attempts and then waits longer and longer. So does each name, for all addresses together from
 * which it has never signed in: an attacker with many addresses guesses no faster. The owner's own addresses do not count,
 * so nobody can lock the owner out. From a new address, the owner waits at most half a minute.
 */
interface Count {
  readonly failures: number;
  /** Milliseconds since 1970: no attempt before. */
  readonly notBefore: number;
}

const freeTries = 5;
/** Seconds. */
const longest = { address: 900, name: 30 } as const;
const mostKept = 100_000;
/** Addresses that are remembered for each name. */
const mostKnown = 10;

export interface LoginThrottle {
  /** Whole seconds to wait. 0 allows the attempt, which counts as a failure until it has succeeded. */
  readonly begin: (username: string, address: string | undefined) => number;
  readonly succeeded: (username: string, address: string | undefined) => void;
}

export function createLoginThrottle(clock: () => number): LoginThrottle {
  const counts = new Map<string, Count>();
  /** The addresses from which each name has signed in. */
  const known = new Map<string, readonly string[]>();

  /** Keeps the newest entries; a forgotten one begins anew. */
  const keep = <Value>(map: Map<string, Value>, key: string, value: Value): void => {
    map.delete(key);
    map.set(key, value);
    const [oldest] = map.keys();
    if (map.size > mostKept && oldest !== undefined) map.delete(oldest);
  };

  const keysOf = (username: string, address = "unknown"): readonly [key: string, longest: number][] => {
    const name = digest(username);
    const isOwners = known.get(name)?.includes(address) === true;
    // Guesses from the owner's address count for the owner alone, not for others at that address.
    if (isOwners) return [[JSON.stringify([address, name]), longest.address]];
    return [
      [JSON.stringify([address]), longest.address],
      [JSON.stringify(["name", name]), longest.name],
    ];
  };

  return {
    begin(username, address) {
      const now = clock();
      const keys = keysOf(username, address);
      const waits = keys.map(([key]) => Math.ceil(((counts.get(key)?.notBefore ?? 0) - now) / 1000));
      const wait = Math.max(0, ...waits);
      if (wait > 0) return wait;
      for (const [key, most] of keys) {
        const failures = (counts.get(key)?.failures ?? 0) + 1;
        const seconds = failures < freeTries ? 0 : Math.min(2 ** (failures - freeTries), most);
        keep(counts, key, { failures, notBefore: now + seconds * 1000 });
      }
      return 0;
    },
    succeeded(username, address = "unknown") {
      const [[key] = [""]] = keysOf(username, address);
      counts.delete(key);
      const name = digest(username);
      const others = (known.get(name) ?? []).filter((one) => one !== address);
      keep(known, name, [address, ...others].slice(0, mostKnown));
    },
  };
}

/** An attacker chooses the length of a name, and the name is stored. */
function digest(username: string): string {
  return createHash("sha256").update(username).digest("base64url");
}
