/**
 * Creates the `TypeError` for a wrong option; it has a `code`, and its message names the option.
 *
 * The message never shows the value, which may be a secret.
 *
 * @example throw optionError("serviceId", "must be a positive integer")
 */
export function optionError(option: string, rule: string): TypeError & { readonly code: "ERR_INVALID_OPTION" } {
  return Object.assign(new TypeError(`${option} ${rule}.`), { code: "ERR_INVALID_OPTION" as const });
}
