import { createHash } from "node:crypto";

/** How often passwords were tried on one form. */
export interface LoginTries {
  /** Counts a try that begins now; `false`: it is one too many. */
  begin(ticket: string): boolean;
  /** The password of a try was not looked at. */
  takeBack(ticket: string): void;
  /** No more tries are to come. */
  end(ticket: string): void;
}

/**
 * Creates the count of one process. What it has no room for begins anew: whoever opens thousands of forms has as many
 * first tries anyway, and the user table is where guesses are slowed down.
 *
 * @example if (!createLoginTries({ most: 10, maxForms: 10_000 }).begin(ticket)) return fail()
 */
export function createLoginTries({ most, maxForms }: { readonly most: number; readonly maxForms: number }): LoginTries {
  /** By the digest of the ticket, the oldest first. */
  const tries = new Map<string, number>();
  return {
    begin(ticket) {
      const key = keyOf(ticket);
      const before = tries.get(key) ?? 0;
      if (before >= most) return false;
      if (before === 0 && tries.size >= maxForms) {
        const [oldest] = tries.keys();
        if (oldest !== undefined) tries.delete(oldest);
      }
      tries.set(key, before + 1);
      return true;
    },
    takeBack(ticket) {
      const key = keyOf(ticket);
      const before = tries.get(key);
      if (before !== undefined) tries.set(key, Math.max(0, before - 1));
    },
    end(ticket) {
      tries.delete(keyOf(ticket));
    },
  };
}

function keyOf(ticket: string): string {
  return createHash("sha256").update(ticket).digest("base64url");
}
