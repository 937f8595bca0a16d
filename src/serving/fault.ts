/** The members of an error that Node reads when it prints a warning. */
const printed = ["name", "message", "stack", "code", "detail"];

/**
 * Turns what was thrown into an error that can be passed on and printed: never `undefined`, a string or an object whose
 * getters throw. Express continues with the next handler for `undefined` and `"route"`.
 *
 * @example asError("text").cause // "text"
 */
export function asError(thrown: unknown): Error {
  try {
    if (!(thrown instanceof Error)) return new Error("A value that is not an Error was thrown.", { cause: thrown });
    for (const member of printed) void String((thrown as unknown as Record<string, unknown>)[member]);
    return thrown;
  } catch {
    return new Error("Something was thrown that cannot be read.");
  }
}

/**
 * Emits a fault that is reported nowhere else as a warning of the process.
 *
 * @example warnOfFault(error)
 */
export function warnOfFault(thrown: unknown): void {
  process.emitWarning(asError(thrown));
}
