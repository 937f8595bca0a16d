import type { MonotonicClock } from "./engine/dependencies.ts";
import type { ForwardClock } from "./forward-clock.ts";
import type { Store } from "./store/store.ts";

/** A check that has to succeed while a backend takes requests. */
export interface ReadinessCheck {
  /** Its name in a probe's answer; nothing of the configuration. */
  readonly name: string;
  /** Throws or rejects if it fails; the reason is logged. */
  readonly check: () => void | Promise<void>;
}

/** A failed check, and why it failed. */
export interface FailedCheck {
  readonly name: string;
  readonly error: unknown;
}

export interface ReadinessOptions {
  readonly checks: readonly ReadinessCheck[];
  readonly monotonicClock: MonotonicClock;
  /** Called when the answer has changed; the first one is compared with "all hold". */
  readonly onChange?: (failed: readonly FailedCheck[]) => void;
  /** A signal that aborts after that many milliseconds; default `AbortSignal.timeout`. */
  readonly timeoutSignal?: (milliseconds: number) => AbortSignal;
}

/** Milliseconds: the checks run at most so often, however many ask. */
const interval = 1000;

/** Milliseconds that a check has; less than the second that Kubernetes gives a probe. */
const patience = 500;

/**
 * Returns a function that resolves to the names of the failed checks.
 *
 * Anyone may ask, so asking must be cheap: all requests within a second get one answer. A check that has not ended is
 * not started again; it counts as failed.
 *
 * @example const failedChecks = createReadiness({ checks: [{ name: "store-write", check }], monotonicClock });
 */
export function createReadiness(options: ReadinessOptions): () => Promise<readonly string[]> {
  const {
    monotonicClock,
    onChange,
    timeoutSignal = (milliseconds: number) => AbortSignal.timeout(milliseconds),
  } = options;
  const checks = options.checks.map(({ name, check }) => ({ name, run: oneAtATime(check) }));
  let failedBefore = "";
  let last: { readonly startedAt: number; readonly names: Promise<readonly string[]> } | undefined;

  async function evaluate(): Promise<readonly string[]> {
    const late = timeoutSignal(patience);
    const errors = await Promise.all(checks.map(({ run }) => run(late)));
    const failed = checks.flatMap(({ name }, index): FailedCheck[] => {
      const error = errors[index];
      return error === undefined ? [] : [{ name, error }];
    });
    const names = failed.map(({ name }) => name);
    if (names.join() !== failedBefore) onChange?.(failed);
    failedBefore = names.join();
    return names;
  }

  return () => {
    const now = monotonicClock();
    if (last === undefined || now - last.startedAt >= interval) last = { startedAt: now, names: evaluate() };
    return last.names;
  };
}

/** Resolves to why the check failed, or to `undefined`; never rejects. */
function oneAtATime(check: () => void | Promise<void>): (late: AbortSignal) => Promise<unknown> {
  let running = false;
  return async (late) => {
    if (running) return new Error("its previous run has not ended");
    running = true;
    const held = (async () => check())()
      .then(
        () => undefined,
        (error: unknown) => error ?? new Error("it failed"),
      )
      .finally(() => {
        running = false;
      });
    return Promise.race([held, aborted(late)]);
  };
}

function aborted(signal: AbortSignal): Promise<Error> {
  const { promise, resolve } = Promise.withResolvers<Error>();
  const give = (): void => {
    resolve(new Error(`it has not answered within ${patience} ms`));
  };
  if (signal.aborted) give();
  signal.addEventListener("abort", give, { once: true });
  return promise;
}

/** The store's checks of readiness. */
export function storeReadiness(store: Pick<Store, "checkSchema" | "probeWrite">): readonly ReadinessCheck[] {
  return [
    { name: "store-read", check: () => store.checkSchema() },
    { name: "store-write", check: () => store.probeWrite() },
  ];
}

/** Names failures of the store that only a restart of the process can repair. */
export function storeLiveness(store: Pick<Store, "hasLostWriter">): readonly string[] {
  return store.hasLostWriter() ? ["store-writer"] : [];
}

/** Checks that the wall clock is not behind the backend's time; while it is, tokens and codes live too long. */
export function clockReadiness(clock: Pick<ForwardClock, "observe" | "behind" | "isBehind">): ReadinessCheck {
  return {
    name: "clock",
    check() {
      // A step of the clock is noticed at once, even without other calls.
      clock.observe();
      if (clock.isBehind()) throw new Error(`the clock is ${clock.behind()} ms behind the time that was acted on`);
    },
  };
}
