/** What Node reads of an error when it prints a warning. */
const printed = ["name", "message", "stack", "code", "detail"];

/**
 * What was thrown, as an error that can be handed on and printed: never `undefined`, a text or an object whose members
 * throw when they are read. Express takes `undefined` and `"route"` for leave to go on.
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
 * Makes a fault that nobody else is told of a warning of the process.
 *
 * @example warnOfFault(error)
 */
export function warnOfFault(thrown: unknown): void {
  process.emitWarning(asError(thrown));
}
