/** What a parameter `$n` may be; instants and ids are whole numbers up to 2^53 - 1. */
export type SqlValue = string | number | Uint8Array | null;

export interface Statement {
  /** With parameters `$1…`, each of one type throughout. */
  readonly sql: string;
  readonly values: readonly SqlValue[];
  /** A guard must change a row; when it does not, nothing of the command is written. */
  readonly guard?: true;
  /** The reverse: it must change no row; when it does, nothing of the command is written. */
  readonly forbidden?: true;
}

/** How a command is carried out: its statements in order, within one transaction. */
export interface Plan {
  readonly statements: readonly Statement[];
  /**
   * Answers a row when this very attempt was applied before: asked after a guard refused, a row means `done`, none
   * `conflict`. `undefined`: applying it twice is the same as once.
   */
  readonly applied: Statement | undefined;
}
