import { levels, type CallLevel } from "./advice.ts";
import { advice } from "./result-codes.ts";

const known: ReadonlyMap<string, CallLevel> = new Map(
  Object.entries(advice).map(([code, { kind }]) => [code, levels[kind]]),
);

/**
 * The level of the log line of a call with this result code; `info` for an answer without one.
 *
 * @example levelOfResult("A157305") // "warn"
 */
export function levelOfResult(resultCode: string | undefined): CallLevel {
  return (resultCode === undefined ? undefined : known.get(resultCode)) ?? "info";
}
