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

/** The hooks that have failed, so that the operator is warned of each once. */
const failed = new WeakSet<object>();
/** Stands for every hook that is no function. */
const noFunction = {};

/**
 * Tells a hook, `onError` for example, and does not wait for it. One that throws or rejects changes nothing; the process
 * is warned once (`CERTBOUND_OBSERVER_FAILED`).
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
