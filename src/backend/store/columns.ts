/** A value as a database takes and gives it; instants and ids are whole numbers up to 2^53 - 1. */
export type SqlValue = string | number | Uint8Array | null;

/** How a member of a record is kept in a column. */
export interface Column<Value> {
  /** The column's name, where it is not the member's name in snake_case. */
  readonly name?: string;
  readonly read: (kept: SqlValue) => Value;
  readonly write: (value: Value) => SqlValue;
}

/** The columns of a table, or some of them, by the names of a record's members. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- columns of any values; `unknown` would not take them
export type Columns = Readonly<Record<string, Column<any>>>;

/** The record that is kept in these columns. */
export type RecordOf<Of extends Columns> = { readonly [Member in keyof Of]: ReturnType<Of[Member]["read"]> };

/** A column that keeps a value as it is. */
function same<Value extends SqlValue>(): Column<Value> {
  return { read: (kept) => kept as Value, write: (value) => value };
}

export const text = same<string>();

/** A text that is one of a few. */
export const textOf = <Value extends string>(): Column<Value> => same<Value>();

export const whole = same<number>();
export const octets = same<Uint8Array>();

/** `undefined` is kept as NULL. */
export function optional<Value>({ read, write, ...named }: Column<Value>): Column<Value | undefined> {
  return {
    ...named,
    read: (kept) => (kept === null ? undefined : read(kept)),
    write: (value) => (value === undefined ? null : write(value)),
  };
}

export const flag: Column<boolean> = { read: (kept) => kept === 1, write: (value) => (value ? 1 : 0) };

/** RFC 6749 §3.3: scope values hold no space, so a space joins them without loss. */
export const scopeList: Column<readonly string[]> = {
  read: (kept) => (kept === "" ? [] : (kept as string).split(" ")),
  write: (scopes) => scopes.join(" "),
};

const emptyList = "[]";

/** A list of texts as JSON. Most are empty, and then nothing is parsed. */
export const textList: Column<readonly string[]> = {
  read: (kept) => (kept === emptyList ? [] : (JSON.parse(kept as string) as string[])),
  write: (texts) => (texts.length === 0 ? emptyList : JSON.stringify(texts)),
};

/** A value as JSON text. */
export const json = <Value>(): Column<Value> => ({
  read: (kept) => JSON.parse(kept as string) as Value,
  write: (value) => JSON.stringify(value),
});

/**
 * The name of a member's column.
 *
 * @example columnName("x5tS256", text) // "x5t_s256"
 */
export function columnName(member: string, { name }: Columns[string]): string {
  return name ?? member.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
}
