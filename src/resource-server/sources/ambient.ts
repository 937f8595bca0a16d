/** What a source cannot make itself: read in the composition root and handed down. */
export interface Ambient {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** So many random octets. */
  readonly randomBytes: (count: number) => Uint8Array;
}
