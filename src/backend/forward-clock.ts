import type { Clock, MonotonicClock } from "./engine/dependencies.ts";

/** A finding of a forward clock about the wall clock. Lengths are in milliseconds. */
export type ClockEvent =
  /** The wall clock is behind the latest instant that was used. */
  | { readonly type: "behind"; readonly by: number }
  | { readonly type: "caught-up" }
  /** The wall clock is further ahead than the monotonic clock can explain. */
  | { readonly type: "jumped-ahead"; readonly by: number }
  /** It has gone back within the hour: the jump is undone. */
  | { readonly type: "jump-undone" }
  /** It has stayed there for an hour: the jump counts as real. */
  | { readonly type: "jump-kept" };

export interface ForwardClockOptions {
  readonly wallClock: Clock;
  readonly monotonicClock: MonotonicClock;
  /** The latest instant known to have been used; 0 when there is none. */
  readonly floor: number;
  /** The latest instant that was used during a doubtful jump, before a restart; default: none. */
  readonly inDoubt?: number;
  readonly report: (event: ClockEvent) => void;
}

/** The backend's "now", which never goes back. All instants are in milliseconds since 1970. */
export interface ForwardClock {
  /** The instant to act on. */
  readonly now: Clock;
  /** Reads the clocks, so that a step is noticed soon; does not raise the floor. */
  readonly observe: () => void;
  /** Another process has acted on this instant. */
  readonly raise: (instant: number) => void;
  /** How far the wall clock is behind the latest instant that was used, 0 when it is not behind. */
  readonly behind: () => number;
  /** Whether it is behind by enough to be reported: by a second or more. */
  readonly isBehind: () => boolean;
  /** Whether the wall clock has jumped ahead within the last hour, so that the jump is in doubt. */
  readonly isDoubtful: () => boolean;
  /** The greatest instant that was acted on and that no clock which steps back may undo. */
  readonly actedOn: () => number;
  /** The latest instant that was used during a doubtful jump; 0 without one. */
  readonly actedOnInDoubt: () => number;
}

/**
 * While the wall clock is behind, time continues at this fraction of its speed. The two meet after twice the step, and
 * nothing lives longer than until its expiry by the wall clock.
 */
const pace = 0.5;

/** A jump ahead is one when it is longer than this: longer than a clock is corrected by, shorter than a time zone. */
const longestBelieved = 30 * 60_000;

/** A jump that is not undone for so long counts as real, in milliseconds. */
const doubtLasts = 60 * 60_000;

/** Steps back that are shorter are not reported: time daemons make them, in milliseconds. */
const reportedFrom = 1_000;

/** The time as it would be without the jump; kept until the jump counts as real. */
interface Doubt {
  readonly instant: number;
  readonly at: number;
  /** Whether the jump was reported; a pause between a stop and a start is not. */
  readonly reported: boolean;
}

/**
 * Creates a clock that follows the wall clock forwards and never backwards.
 *
 * A step back is bridged by the monotonic clock. A jump ahead of more than half an hour is followed, so that nothing
 * expired is accepted. It can be undone for one hour, by a step back of more than half an hour, but never to before the
 * time at which it began plus the time since then. No other step back sets the time back.
 *
 * @example createForwardClock({ wallClock: Date.now, monotonicClock: () => performance.now(), floor: 0, report }).now()
 */
export function createForwardClock({
  wallClock,
  monotonicClock,
  floor,
  inDoubt = 0,
  report,
}: ForwardClockOptions): ForwardClock {
  let last = Math.max(floor, 0);
  let lastAt = monotonicClock();
  let acted = last;
  let behind = 0;
  let reported = false;
  let doubt: Doubt | undefined;

  const undoubted = (at: number): number => (doubt === undefined ? last : doubt.instant + (at - doubt.at));

  function begin(): void {
    const wall = wallClock();
    // A restart makes no difference: what takes a jump back is a step back of more than half an hour.
    const begun = inDoubt - wall > longestBelieved ? wall : Math.max(wall, inDoubt);
    // The length of the downtime is unknown, and a new store has no time to compare with.
    if (last > 0 && begun > last + longestBelieved) doubt = { instant: last, at: lastAt, reported: false };
    last = Math.max(last, begun);
    look();
  }

  function look(): number {
    const wall = wallClock();
    const at = monotonicClock();
    const elapsed = Math.max(0, at - lastAt);
    const bridged = last + elapsed * pace;
    if (wall >= (behind > 0 ? bridged : last)) forward(wall, at, elapsed);
    else if (doubt !== undefined && last - wall > longestBelieved) undo(wall, at);
    else last = bridged;
    lastAt = at;
    if (doubt !== undefined && at - doubt.at >= doubtLasts) {
      if (doubt.reported) report({ type: "jump-kept" });
      doubt = undefined;
    }
    noteBehind(Math.max(0, last - wall));
    return Math.floor(last);
  }

  function forward(wall: number, at: number, elapsed: number): void {
    const by = wall - last - elapsed;
    if (by > longestBelieved) {
      doubt ??= { instant: last + elapsed, at, reported: true };
      report({ type: "jumped-ahead", by });
    }
    last = wall;
  }

  function undo(wall: number, at: number): void {
    last = Math.max(wall, undoubted(at));
    acted = Math.min(acted, last);
    doubt = undefined;
    report({ type: "jump-undone" });
  }

  function noteBehind(by: number): void {
    behind = by;
    if (!reported && by >= reportedFrom) {
      reported = true;
      report({ type: "behind", by });
    } else if (reported && by === 0) {
      reported = false;
      report({ type: "caught-up" });
    }
  }

  begin();

  return {
    now() {
      const now = look();
      acted = now;
      return now;
    },
    observe: () => void look(),
    raise(instant) {
      if (instant <= last) return;
      last = instant;
      acted = Math.max(acted, instant);
    },
    behind: () => Math.floor(behind),
    isBehind: () => reported,
    isDoubtful: () => doubt !== undefined,
    actedOn: () => Math.floor(doubt === undefined ? acted : Math.min(acted, undoubted(lastAt))),
    actedOnInDoubt: () => (doubt === undefined ? 0 : Math.floor(acted)),
  };
}
