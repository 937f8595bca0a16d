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

/** A question that has been sent and not been answered. */
interface OpenQuestion {
  /** Whether an answer that rests on these keys was made void by an event that came after the question was sent. */
  isInvalidated(keys: readonly string[]): boolean;
  end(): void;
}

/** What has become void lately, for answers that are still on their way. */
export interface RecentInvalidations {
  /** To be called when a question is sent. */
  begin(): OpenQuestion;
  note(keys: readonly string[]): void;
  /** Whatever is on its way is void. */
  noteAll(): void;
  /** Keys kept now. */
  readonly size: number;
}

/**
 * Creates the memory of recent invalidations: a key is kept exactly as long as a question is open that is older.
 *
 * With more than `mostKeys` to keep it forgets which they were, and every answer on its way is void.
 *
 * @example const question = recent.begin(); const answer = await ask(); if (question.isInvalidated(answer.keys)) …
 */
export function createRecentInvalidations(mostKeys = 10_000): RecentInvalidations {
  /** Events so far; a question notes how many there were, a key which was its last. */
  let events = 0;
  /** Questions that were sent before this event are void, whatever they rest on. */
  let allInvalidAt = 0;
  /** In the order of events. */
  const lastEvents = new Map<string, number>();
  const open = new Set<{ readonly sentAfter: number }>();

  function noteAll(): void {
    events += 1;
    allInvalidAt = events;
    lastEvents.clear();
  }

  function prune(): void {
    const [oldest] = open;
    if (oldest === undefined) {
      lastEvents.clear();
      return;
    }
    for (const [key, event] of lastEvents) {
      if (event > oldest.sentAfter) return;
      lastEvents.delete(key);
    }
  }

  return {
    begin() {
      const question = { sentAfter: events };
      open.add(question);
      return {
        isInvalidated: (keys) =>
          question.sentAfter < allInvalidAt || keys.some((key) => (lastEvents.get(key) ?? 0) > question.sentAfter),
        end() {
          if (open.delete(question)) prune();
        },
      };
    },
    note(keys) {
      if (open.size === 0) return;
      events += 1;
      for (const key of keys) {
        lastEvents.delete(key);
        lastEvents.set(key, events);
      }
      if (lastEvents.size > mostKeys) noteAll();
    },
    noteAll,
    get size() {
      return lastEvents.size;
    },
  };
}
