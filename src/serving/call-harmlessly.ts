import { isPromise } from "node:util/types";

/**
 * Calls a function of somebody else's whose failure must change nothing here; `failed` gets what it throws or rejects with.
 *
 * @example callHarmlessly(() => onWarning(warning), () => undefined)
 */
export function callHarmlessly(call: () => unknown, failed: (cause: unknown) => void): void {
  try {
    const result = call();
    // A promise of our own adopts it: what its `then` throws, or makes of our function, is then caught as well.
    if (typeof result === "object" && result !== null)
      Promise.resolve()
        .then(() => result)
        .catch(failed);
  } catch (error) {
    failed(error);
  }
}

/**
 * The answer of a function of somebody else's that must not be asynchronous, as it is. A promise among such answers is
 * refused by whoever reads it; that it rejects later must not end the process.
 *
 * @example readRequirement(disown(requirement(request)))
 */
export function disown<Value>(answered: Value): Value {
  if (isPromise(answered)) void Promise.prototype.then.call(answered, undefined, () => undefined);
  return answered;
}
