import { optionError } from "./option-error.ts";

/**
 * Refuses options that there are not: one that is misspelt or misplaced must not be a demand that nobody makes.
 *
 * Throws a `TypeError` with a `code` that names the option.
 *
 * @example refuseUnknownOptions({ scopes: [] }, new Set(["requirement"])) // throws: scopes is not an option.
 */
export function refuseUnknownOptions(given: object, known: ReadonlySet<string>): void {
  for (const name of Object.keys(given)) if (!known.has(name)) throw optionError(name, "is not an option");
}
