/** Where a reader of events stands: behind the event in this row, or, at position 0, before the first. */
export interface EventCursor {
  readonly epoch: string;
  readonly position: number;
  /** Of the row's attempt; `undefined` at position 0. */
  readonly tag: string | undefined;
}

const pattern = /^([A-Za-z0-9_-]{22}):(?:0|([1-9][0-9]{0,14})\.([A-Za-z0-9_-]{11}))$/;
const tagOctets = 8;

/**
 * A cursor as text: `<store epoch>:<position>.<tag>`, or `<store epoch>:0`.
 *
 * @example formatEventCursor({ epoch: "bwcK0esc3ACC3DB2Y5_lEQ", position: 0, tag: undefined }) // "bwcK…lEQ:0"
 */
export function formatEventCursor({ epoch, position, tag }: EventCursor): string {
  return tag === undefined ? `${epoch}:0` : `${epoch}:${position}.${tag}`;
}

/** Reads a cursor's text; `undefined` for whatever else it is. */
export function readEventCursor(text: string): EventCursor | undefined {
  const [, epoch, position = "0", tag] = pattern.exec(text) ?? [];
  return epoch === undefined ? undefined : { epoch, position: Number(position), tag };
}

/** What tells an event from another that the same store, restored from a backup, wrote at the same position. */
export function tagOfAttempt(attempt: Uint8Array): string {
  return Buffer.from(attempt).toString("base64url", 0, tagOctets);
}
