/** Finds things by their invalidation keys. */
export interface KeyIndex<Thing> {
  add(keys: readonly string[], thing: Thing): void;
  remove(keys: readonly string[], thing: Thing): void;
  /** All things with any of these keys, each once; the caller may keep the result. */
  under(keys: readonly string[]): ReadonlySet<Thing>;
  readonly size: number;
}

/**
 * Creates an index of things by key; a key without things takes no memory.
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

/** A request that was sent and not answered yet. */
interface OpenQuestion {
  /** Whether an event since the request was sent has invalidated an answer with these keys. */
  isInvalidated(keys: readonly string[]): boolean;
  end(): void;
}

/** Recent invalidations, for answers that have not arrived yet. */
export interface RecentInvalidations {
  /** Call when a request is sent. */
  begin(): OpenQuestion;
  note(keys: readonly string[]): void;
  /** Invalidates every answer that has not arrived yet. */
  noteAll(): void;
  /** The number of keys kept. */
  readonly size: number;
}

/**
 * Creates the memory of recent invalidations: a key is kept exactly as long as an older request is open.
 *
 * With more than `mostKeys` keys it forgets them and invalidates every answer that has not arrived yet.
 *
 * @example const question = recent.begin(); const answer = await ask(); if (question.isInvalidated(answer.keys)) …
 */
export function createRecentInvalidations(mostKeys = 10_000): RecentInvalidations {
  /** The number of events so far; a request notes the number when it was sent, a key the number of its last event. */
  let events = 0;
  /** Answers to requests sent before this event are invalid, whatever their keys. */
  let allInvalidAt = 0;
  /** By key, in the order of events. */
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
