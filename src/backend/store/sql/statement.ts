import type { SqlValue } from "../columns.ts";

/** The values of a statement's parameters, by name. */
export type Values = Readonly<Record<string, SqlValue>>;

interface Text {
  /** With parameters `:name`, each of one type throughout. */
  readonly sql: string;
  /** Values of the parameters; others are ignored, so that the statements of a command may share one object. */
  readonly values: Values;
}

/** A read of one row; `undefined` without a row. */
export interface RowQuery<Facts> extends Text {
  readonly one: (row: Row) => Facts;
  /** Asked when this finds no row. */
  readonly otherwise?: RowQuery<Facts>;
}

/** A read of all rows that it finds. */
export interface RowsQuery<Facts> extends Text {
  readonly all: (rows: readonly Row[]) => Facts;
}

/** A row of an answer, by the names of its columns. */
export type Row = Readonly<Record<string, SqlValue>>;

/** A write. */
export interface Statement extends Text {
  /** A guard must change a row; when it does not, nothing of the command is written. */
  readonly guard?: true;
  /** The reverse: it must change no row; when it does, nothing of the command is written. */
  readonly forbidden?: true;
}

/** How a command is carried out: its statements in order, within one transaction. */
export interface Plan {
  readonly statements: readonly Statement[];
  /**
   * Finds a row if this attempt was applied before. It is asked after a guard refused: a row means `done`, no row
   * `conflict`. `undefined`: the command may be applied twice.
   */
  readonly applied: Statement | undefined;
}

/** A statement as a driver takes it: parameters by position, each name once. */
export interface CompiledStatement {
  readonly sql: string;
  /** In the order of their positions. */
  readonly names: readonly string[];
}

/**
 * Numbers the parameters of a statement; `mark` writes the parameter at a position, from 1.
 *
 * @example compileStatement("SELECT :a, :b, :a", (position) => `?${position}`) // SELECT ?1, ?2, ?1
 */
export function compileStatement(sql: string, mark: (position: number) => string): CompiledStatement {
  const names: string[] = [];
  const numbered = sql.replaceAll(/:([a-z][A-Za-z0-9]*)/g, (_, name: string) => {
    const known = names.indexOf(name);
    return mark(known === -1 ? names.push(name) : known + 1);
  });
  return { sql: numbered, names };
}

/** The values in the order of their positions. Throws a `TypeError` that names a parameter without a value. */
export function valuesByPosition(names: readonly string[], values: Values): SqlValue[] {
  return names.map((name) => {
    const value = values[name];
    if (value === undefined) throw new TypeError(`the parameter :${name} has no value`);
    return value;
  });
}
