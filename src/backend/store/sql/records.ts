import { type Column, columnName, type Columns, type RecordOf, type SqlValue } from "../columns.ts";
import type { Row, Values } from "./statement.ts";

/** A member of a record as a select finds it: an SQL expression, and how its value is read. */
export interface Selected<Value> {
  readonly sql: string;
  readonly read: (kept: SqlValue) => Value;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- columns of any values; `unknown` would not take them
type Selection = Readonly<Record<string, Selected<any>>>;

type Found<Of extends Selection> = { readonly [Member in keyof Of]: ReturnType<Of[Member]["read"]> };

/** An expression as a member of a selection. */
export function selected<Value>(sql: string, { read }: Pick<Column<Value>, "read">): Selected<Value> {
  return { sql, read };
}

/** The columns of a row, named as in the statement, as members of a selection. */
export function columnsOf<Of extends Columns>(
  row: string,
  columns: Of,
): { readonly [Member in keyof Of]: Selected<ReturnType<Of[Member]["read"]>> } {
  const members = Object.entries(columns).map(([member, column]) => [
    member,
    selected(`${row}.${columnName(member, column)}`, column),
  ]);
  return Object.fromEntries(members) as ReturnType<typeof columnsOf<Of>>;
}

/**
 * A selection as the list of a SELECT.
 *
 * @example selectList(columnsOf("c", { clientId: whole })) // c.client_id AS "clientId"
 */
export function selectList(selection: Selection): string {
  return Object.entries(selection)
    .map(([member, { sql }]) => `${sql} AS "${member}"`)
    .join(", ");
}

/** The reader of the rows that {@link selectList} asks for. */
export function recordReader<Of extends Selection>(selection: Of): (row: Row) => Found<Of> {
  const members = Object.entries(selection).map(([member, { read }]) => ({ member, read }));
  return (row) => {
    const found: Record<string, unknown> = {};
    for (const { member, read } of members) found[member] = read(row[member] ?? null);
    return found as Found<Of>;
  };
}

/** The columns of an insert, each with the parameter of its member's name. */
export function parametersOf(columns: Columns): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(columns).map(([member, column]) => [columnName(member, column), `:${member}`]),
  );
}

/** Writes the values for {@link parametersOf}. */
export function recordWriter<Of extends Columns>(columns: Of): (record: RecordOf<Of>) => Values {
  const members = Object.entries(columns);
  return (record) => {
    const values: Record<string, SqlValue> = {};
    for (const [member, { write }] of members) values[member] = write(record[member]);
    return values;
  };
}

/**
 * An insert of one row that `source`, the rest of a SELECT, finds or does not find; `columns` has an SQL expression for
 * each column.
 *
 * @example insertFound("ticket", { digest: ":digest", service_id: "s.service_id" }, "FROM service s WHERE …")
 */
export function insertFound(table: string, columns: Readonly<Record<string, string>>, source: string): string {
  return `
  INSERT INTO ${table} (${Object.keys(columns).join(", ")})
  SELECT ${Object.values(columns).join(", ")}
  ${source}`;
}
