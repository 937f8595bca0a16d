/**
 * Waits for a result until the signal is aborted, and rejects with its reason then; what makes the result goes on.
 *
 * @example const { held } = await within(signal, obtain(target))
 */
export function within<Result>(signal: AbortSignal | undefined, result: Promise<Result>): Promise<Result> {
  if (signal === undefined) return result;
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    void result.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", abort);
    });
  });
}
