/**
 * An option that the program passed is wrong: a `TypeError` with a `code`, whose message names the option.
 *
 * The message never shows the value: it may be a secret.
 *
 * @example throw optionError("serviceId", "must be a positive integer")
 */
export function optionError(option: string, rule: string): TypeError & { readonly code: "ERR_INVALID_OPTION" } {
  return Object.assign(new TypeError(`${option} ${rule}.`), { code: "ERR_INVALID_OPTION" as const });
}
