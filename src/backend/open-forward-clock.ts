import type { Logger } from "pino";
import type { Clock, MonotonicClock } from "./engine/dependencies.ts";
import { type ClockEvent, createForwardClock, type ForwardClock } from "./forward-clock.ts";
import type { Store } from "./store/store.ts";

/** A forward clock whose floor is stored. */
export interface KeptForwardClock extends ForwardClock {
  /** Stores the last instant that was used; call it before the store is closed. */
  close(): Promise<void>;
}

export interface KeptClockOptions {
  readonly store: Pick<Store, "readClock" | "keepClock">;
  readonly wallClock: Clock;
  readonly monotonicClock: MonotonicClock;
  readonly log: Logger;
  /** Resolves after that many milliseconds. */
  readonly wait?: (milliseconds: number) => Promise<void>;
}

/** Milliseconds between two comparisons of the clocks, and of the floors that other processes stored. */
const lookInterval = 250;
/** An instant is stored when it is later than the last stored one by this many milliseconds. */
const keptEvery = 500;
/** Milliseconds until an instant is stored, at most, unless a commit takes longer than the remaining time. */
const keptWithin = 1_000;

/**
 * Opens the backend's clock over the stored floor.
 *
 * After a crash, the last second may be missing from the floor. So the clock begins one second after the floor: it
 * waits for the wall clock to reach that, or, if the wall clock is behind, continues from there without it.
 *
 * @example const clock = await openForwardClock({ store, wallClock: Date.now, monotonicClock, log });
 */
export async function openForwardClock(options: KeptClockOptions): Promise<KeptForwardClock> {
  const { store, wallClock, monotonicClock, log, wait = waitFor } = options;
  let kept = await store.readClock();
  const unkept = kept.settled ? 0 : keptWithin;
  const floor = kept.actedOn + unkept;
  const inDoubt = kept.inDoubt === undefined ? 0 : kept.inDoubt + unkept;
  const begun = wallClock();
  const missing = Math.max(...[floor, inDoubt].map((instant) => instant - begun).filter((by) => by <= unkept));
  if (missing > 0) await wait(missing);
  const clock = createForwardClock({
    wallClock,
    monotonicClock,
    floor,
    inDoubt,
    report: (event) => {
      logClockEvent(log, event);
    },
  });
  let keeping: Promise<void> | undefined;
  let failing = false;
  clock.now();
  const begunInDoubt = clock.actedOnInDoubt();
  let wasInDoubt = begunInDoubt > 0;
  // A doubt that was taken back meanwhile ends here.
  const ownDoubt = wasInDoubt || kept.inDoubt !== undefined ? { inDoubt: begunInDoubt } : {};
  kept = { actedOn: clock.actedOn(), settled: false, ...ownDoubt };
  await store.keepClock(kept);

  /**
   * The part of a doubt that is stored: another process may have used a later instant, and only the process in doubt
   * ends it.
   */
  function doubtToKeep(): { readonly inDoubt?: number } {
    const acted = clock.actedOnInDoubt();
    if (acted > 0) return { inDoubt: Math.max(acted, kept.inDoubt ?? 0) };
    return wasInDoubt ? { inDoubt: 0 } : {};
  }

  /** Never rejects. */
  async function look(): Promise<void> {
    clock.observe();
    try {
      kept = await store.readClock();
      clock.raise(kept.actedOn);
      const actedOn = clock.actedOn();
      const doubt = doubtToKeep();
      const { inDoubt: before = 0 } = kept;
      const { inDoubt: after = before } = doubt;
      // Another process has come to its end; this one has acted since.
      const isUnsettled = kept.settled && actedOn > kept.actedOn;
      const isLate = actedOn - kept.actedOn >= keptEvery || after - before >= keptEvery;
      if (isUnsettled || isLate || (after === 0 && before > 0)) {
        await store.keepClock({ actedOn, settled: false, ...doubt });
      }
      wasInDoubt = clock.actedOnInDoubt() > 0;
      failing = false;
    } catch (error) {
      // Once an outage: while the store cannot be written, callers that write get 503, and those that read need a clock.
      if (!failing) log.error({ err: error }, "the instant that was acted on could not be kept");
      failing = true;
    }
  }

  const timer = setInterval(() => {
    keeping ??= look().finally(() => {
      keeping = undefined;
    });
  }, lookInterval);
  timer.unref();

  return {
    ...clock,
    async close() {
      clearInterval(timer);
      await keeping;
      await store.keepClock({ actedOn: clock.actedOn(), settled: true, ...doubtToKeep() }).catch(() => undefined);
    },
  };
}

function logClockEvent(log: Logger, event: ClockEvent): void {
  const guide = '("The clock" in docs/operating.md)';
  switch (event.type) {
    case "behind":
      log.error(
        { behindMs: Math.round(event.by) },
        "The clock is behind the time that was acted on already. Nothing that has expired is valid again, and nothing " +
          `ends early: time goes on at half its speed until the clock has caught up ${guide}.`,
      );
      break;
    case "caught-up":
      log.warn("The clock has caught up with the time that was acted on.");
      break;
    case "jumped-ahead":
      log.error(
        { aheadMs: Math.round(event.by) },
        "The clock has jumped ahead, or the machine was suspended. What has expired by it is refused. If the clock is " +
          `wrong, set it right within an hour and the jump is forgotten; later, run "certbound clock reset" ${guide}.`,
      );
      break;
    case "jump-undone":
      log.warn(
        "The clock has come back from its jump ahead. What it issued meanwhile is not valid before its time; " +
          `"certbound clock reset" ends it ${guide}.`,
      );
      break;
    case "jump-kept":
      log.warn("The clock has stayed where it jumped to, and is believed.");
  }
}

function waitFor(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
