/**
 * Calls a function of somebody else's whose failure must change nothing here; `failed` gets what it throws or rejects with.
 *
 * @example callHarmlessly(() => onWarning(warning), () => undefined)
 */
export function callHarmlessly(call: () => unknown, failed: (cause: unknown) => void): void {
  try {
    const result = call();
    if (isThenable(result)) result.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function";
}
