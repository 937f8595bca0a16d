import type { DatabaseSync } from "node:sqlite";
import type { InvalidationEvents, InvalidationEventsQuery, StoredInvalidationEvent } from "../store.ts";
import { createPreparedStatements, createSnapshot } from "./prepared-statements.ts";

/** A reader's position: after the event in this row, or, at 0, before the first. */
interface EventCursor {
  readonly epoch: string;
  readonly position: number;
  /** Part of the row's attempt; `undefined` at position 0. */
  readonly tag: string | undefined;
}

const pattern = /^([A-Za-z0-9_-]{22}):(?:0|([1-9][0-9]{0,14})\.([A-Za-z0-9_-]{11}))$/;
const tagOctets = 8;

/**
 * A cursor as text: `<store epoch>:<position>.<tag>`, or `<store epoch>:0`.
 *
 * @example formatEventCursor({ epoch: "bwcK0esc3ACC3DB2Y5_lEQ", position: 0, tag: undefined }) // "bwcK…lEQ:0"
 */
function formatEventCursor({ epoch, position, tag }: EventCursor): string {
  return tag === undefined ? `${epoch}:0` : `${epoch}:${position}.${tag}`;
}

/** Reads a cursor's text; `undefined` for whatever else it is. */
function readEventCursor(text: string): EventCursor | undefined {
  const [, epoch, position = "0", tag] = pattern.exec(text) ?? [];
  return epoch === undefined ? undefined : { epoch, position: Number(position), tag };
}

/** Distinguishes an event from one that the same store, restored from a backup, wrote at the same position. */
function tagOfAttempt(attempt: Uint8Array): string {
  return Buffer.from(attempt).toString("base64url", 0, tagOctets);
}

interface EventRow {
  readonly position: number;
  readonly service_id: number;
  readonly keys: string;
  readonly attempt: Uint8Array;
}

const selectEpoch = "SELECT epoch FROM store_epoch";
const selectOne = "SELECT position, attempt FROM invalidation_event WHERE position = :position";
const selectFirst = "SELECT position, attempt FROM invalidation_event ORDER BY position LIMIT 1";
const selectLast = "SELECT position, attempt FROM invalidation_event ORDER BY position DESC LIMIT 1";
const selectEvents = `
  SELECT position, service_id, keys, attempt FROM invalidation_event
  WHERE position > :after AND position <= :upTo ORDER BY position LIMIT :limit`;

/**
 * Reads events by their row numbers: SQLite has one writer at a time, so their order is the order of the commits.
 *
 * A read is one snapshot: nothing is swept between the check of the reader's own row and the read of the rows after it.
 */
export function createEventReader(db: DatabaseSync): (query: InvalidationEventsQuery) => InvalidationEvents {
  const prepare = createPreparedStatements(db);
  const inSnapshot = createSnapshot(db);

  function readEvents({ after, upTo, limit }: InvalidationEventsQuery): InvalidationEvents {
    const epoch = Buffer.from((prepare(selectEpoch).get() as { epoch: Uint8Array }).epoch).toString("base64url");
    const cursorOf = (row: Pick<EventRow, "position" | "attempt"> | undefined): string =>
      formatEventCursor({ epoch, position: row?.position ?? 0, tag: row && tagOfAttempt(row.attempt) });
    const end = (): string => cursorOf(prepare(selectLast).get() as EventRow | undefined);

    const from = after === undefined ? undefined : readEventCursor(after);
    const to = upTo === undefined ? Number.MAX_SAFE_INTEGER : readEventCursor(upTo)?.position;
    if (from?.epoch !== epoch || to === undefined || from.position > to || !stillStands(from)) {
      return { reset: true, cursor: upTo ?? end() };
    }
    const rows = prepare(selectEvents).all({
      after: from.position,
      upTo: to,
      limit: limit + 1,
    }) as unknown as EventRow[];
    const events = rows.slice(0, limit).map((row): StoredInvalidationEvent => ({
      serviceId: row.service_id,
      keys: JSON.parse(row.keys) as string[],
      cursor: cursorOf(row),
    }));
    return {
      reset: false,
      events,
      cursor: events.at(-1)?.cursor ?? formatEventCursor(from),
      complete: rows.length <= limit,
    };
  }

  /** No event after the cursor is missing: its own row exists, and rows are swept in order. */
  function stillStands({ position, tag }: EventCursor): boolean {
    if (position === 0) return ((prepare(selectFirst).get() as EventRow | undefined)?.position ?? 1) === 1;
    const row = prepare(selectOne).get({ position }) as EventRow | undefined;
    return row !== undefined && tagOfAttempt(row.attempt) === tag;
  }

  return (query) => inSnapshot(() => readEvents(query));
}

const selectOldest = "SELECT position, created_at FROM invalidation_event ORDER BY position LIMIT :limit";
/** By position, not by time: a database whose statistics promise few events would scan all of them. */
const deleteBefore = `
  DELETE FROM invalidation_event WHERE position IN (
    SELECT position FROM invalidation_event WHERE position < :last ORDER BY position LIMIT :limit)`;

/**
 * An event that lies so much later, in milliseconds, was written by a clock that was wrong: it must not hold up the
 * others until that time comes.
 */
const farAhead = 24 * 3_600_000;

/**
 * Deletes events older than the last one before `createdBefore`, from the beginning and without a gap, whatever
 * `created_at` the clocks of several processes wrote: then an existing row proves that all later ones exist.
 */
export function createEventSweep(db: DatabaseSync): (createdBefore: number, limit: number) => number {
  const prepare = createPreparedStatements(db);
  return (createdBefore, limit) => {
    const oldest = prepare(selectOldest).all({ limit: limit + 1 }) as { position: number; created_at: number }[];
    const kept = oldest.findIndex(
      (row) => row.created_at >= createdBefore && row.created_at < createdBefore + farAhead,
    );
    const last = (kept === -1 ? oldest : oldest.slice(0, kept)).at(-1);
    return last === undefined ? 0 : prepare(deleteBefore).run({ last: last.position, limit });
  };
}
