import { StoreFailure } from "../store.ts";
import { UnusableDatabase } from "./migrate.ts";

/** Why the store could not do it, as plain data: it crosses from the writer's thread to the serving thread. */
export interface Fault {
  /** One readable sentence without its full stop; it contains no value of a row. */
  readonly reason: string;
  /** The database's own words, for the log. SQLite names tables and columns, never values. */
  readonly detail: string;
}

/** By SQLite's primary result code. */
const reasons: ReadonlyMap<number, string> = new Map([
  [5, "the database is locked by another process"],
  [6, "the database is locked by another process"],
  [8, "the database is read-only"],
  [10, "the disk could not be read or written"],
  [11, "the database file is damaged"],
  [13, "the disk or the database is full"],
  [14, "the file cannot be opened, or its directory is not writable"],
  [15, "the database is locked by another process"],
  [26, "it is not a database"],
]);

/** Reads whatever was thrown. */
export function readFault(error: unknown): Fault {
  if (error instanceof UnusableDatabase) return { reason: error.message, detail: error.message };
  if (!(error instanceof Error)) return { reason: "the database failed", detail: typeof error };
  // The low octet of an extended code is the primary one.
  const code = "errcode" in error && typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
  const reason = (code === undefined ? undefined : reasons.get(code)) ?? "the database failed";
  const detail = code === undefined ? error.message : `${error.message} (SQLite result code ${code})`;
  return { reason, detail };
}

/** `doing` is a clause such as "the command was not kept". */
export function storeFailure(doing: string, { reason, detail }: Fault): StoreFailure {
  return new StoreFailure(`${doing}: ${reason}`, { cause: new Error(detail) });
}
