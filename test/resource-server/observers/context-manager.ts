import { AsyncLocalStorage } from "node:async_hooks";
import { type Context, type ContextManager, ROOT_CONTEXT } from "@opentelemetry/api";

/** What an application's OpenTelemetry SDK sets up: the active context follows the asynchronous calls. */
export function createContextManager(): ContextManager {
  const storage = new AsyncLocalStorage<Context>();
  return {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (context, call, thisArg, ...args) => storage.run(context, () => call.apply(thisArg, args)),
    bind: (context, target) =>
      typeof target === "function"
        ? (((...args: unknown[]) =>
            storage.run(context, () => (target as (...given: unknown[]) => unknown)(...args))) as typeof target)
        : target,
    enable() {
      return this;
    },
    disable() {
      storage.disable();
      return this;
    },
  };
}
