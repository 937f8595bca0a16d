import { optionError } from "./option-error.ts";

/**
 * Throws on unknown options, so that a typo cannot silently disable a check: a `TypeError` with a `code` that names the
 * option. `within` is the option that `given` is the value of.
 *
 * @example refuseUnknownOptions({ tll: 5 }, ["ttl"], "cache") // throws: cache.tll is not an option.
 */
export function refuseUnknownOptions(given: object, known: Iterable<string>, within?: string): void {
  const names = known instanceof Set ? (known as ReadonlySet<string>) : new Set(known);
  for (const name of Object.keys(given)) {
    if (!names.has(name)) throw optionError(within === undefined ? name : `${within}.${name}`, "is not an option");
  }
}
