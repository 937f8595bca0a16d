import { isPromise } from "node:util/types";

/**
 * Calls a function of the user's whose failure must change nothing here; `failed` gets what it throws or rejects with.
 *
 * @example callHarmlessly(() => onWarning(warning), () => undefined)
 */
export function callHarmlessly(call: () => unknown, failed: (cause: unknown) => void): void {
  try {
    const result = call();
    // Adopted by a promise of ours, so that an error thrown by its `then` is caught, too.
    if (typeof result === "object" && result !== null)
      Promise.resolve()
        .then(() => result)
        .catch(failed);
  } catch (error) {
    failed(error);
  }
}

/**
 * Returns the result of a user's function that must be synchronous, unchanged. The reader of the result rejects a
 * promise; this keeps a later rejection of that promise from ending the process.
 *
 * @example readRequirement(disown(requirement(request)))
 */
export function disown<Value>(answered: Value): Value {
  if (isPromise(answered)) void Promise.prototype.then.call(answered, undefined, () => undefined);
  return answered;
}

/** Hooks that have failed; the operator is warned of each once. */
const failed = new WeakSet<object>();
/** Stands for every hook that is not a function. */
const noFunction = {};

/**
 * Calls a hook, `onError` for example, without waiting for it. A hook that throws or rejects changes nothing; a warning
 * is emitted once (`CERTBOUND_OBSERVER_FAILED`).
 *
 * @example tellHook("onRefusal", options.onRefusal, refusal, request)
 */
export function tellHook<Told extends readonly unknown[]>(
  name: string,
  hook: ((...told: Told) => unknown) | undefined,
  ...told: Told
): void {
  if (hook === undefined) return;
  callHarmlessly(
    () => hook(...told),
    () => {
      const key = typeof hook === "function" ? hook : noFunction;
      if (failed.has(key)) return;
      failed.add(key);
      const message = `The function that was given as ${name} failed. No answer depends on it.`;
      process.emitWarning(message, { type: "CertboundWarning", code: "CERTBOUND_OBSERVER_FAILED" });
    },
  );
}
