import { optionError } from "./option-error.ts";

/** Reads an option in milliseconds, at least `least`; throws a `TypeError` that names a wrong one. */
export function duration(option: string, milliseconds: number, least: number): number {
  if (!(Number.isFinite(milliseconds) && milliseconds >= least && milliseconds <= 2_147_483_647)) {
    throw optionError(option, least === 0 ? "must be 0 or more" : "must be positive");
  }
  return milliseconds;
}

/** Reads an option that is a count; throws a `TypeError` that names a wrong one. */
export function count(option: string, value: number, most = 10_000_000): number {
  if (!(Number.isSafeInteger(value) && value > 0 && value <= most)) {
    throw optionError(option, "must be a positive integer");
  }
  return value;
}
