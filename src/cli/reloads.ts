/** Carries out reloads, one after the other; requests that arrive while one waits are one. */
export interface Reloads {
  /** Asks for a reload; one that is asked for before `begin` is done then. */
  ask(): void;
  /** From now on `reload` is called for what is asked; it must not reject. */
  begin(reload: () => Promise<void>): void;
  /** Forgets what waits and whatever will be asked; resolves when the one under way is done. */
  end(): Promise<void>;
}

/**
 * Queues reload signals, which come at any moment, also before the start has ended and after the stop.
 *
 * @example const reloads = createReloads(); host.onHangUp(() => { reloads.ask(); });
 */
export function createReloads(): Reloads {
  let reload: (() => Promise<void>) | undefined;
  let asked = false;
  let ended = false;
  let underWay: Promise<void> | undefined;

  async function work(how: () => Promise<void>): Promise<void> {
    while (asked && !ended) {
      asked = false;
      await how();
    }
    underWay = undefined;
  }

  function start(): void {
    if (reload !== undefined && asked && !ended) underWay ??= work(reload);
  }

  return {
    ask() {
      asked = true;
      start();
    },
    begin(how) {
      reload = how;
      start();
    },
    async end() {
      ended = true;
      await underWay;
    },
  };
}
