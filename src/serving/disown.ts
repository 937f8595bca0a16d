import { isPromise } from "node:util/types";

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
