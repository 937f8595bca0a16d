import { callHarmlessly } from "./call-harmlessly.ts";

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
