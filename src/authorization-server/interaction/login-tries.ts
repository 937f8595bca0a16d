import { createHash } from "node:crypto";

/** Counts login attempts for each form. */
export interface LoginTries {
  /** Counts an attempt; `false` if there were too many. */
  begin(ticket: string): boolean;
  /** Uncounts one attempt whose password was not checked. */
  takeBack(ticket: string): void;
  /** Forgets the form. */
  end(ticket: string): void;
}

/**
 * Creates the counter of one process. It forgets the oldest forms when it is full: an attacker can open thousands of
 * forms anyway, so the user table has to slow guesses down.
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
