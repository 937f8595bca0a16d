import { readConfiguration } from "../backend/configuration/read-configuration.ts";
import { resetClock } from "../backend/reset-clock.ts";
import type { ProgramHost } from "./program-host.ts";
import { explainStartFailure } from "./start-failure.ts";

export interface ClockResetArguments {
  /** Path of the configuration file. */
  readonly config: string;
  /** Whether tokens that were issued later than the machine's time may be deleted. */
  readonly endTokens?: boolean;
}

const cannotReset = 2;

/**
 * Sets a store's time to the machine's clock, after correcting a clock that was far ahead. Resolves to the exit code: 0,
 * or 2 with one message on standard error.
 *
 * @example process.exitCode = await clockReset({ config: "backend.yaml" }, host);
 */
export async function clockReset(
  { config, endTokens = false }: ClockResetArguments,
  host: ProgramHost,
): Promise<number> {
  try {
    const configuration = await readConfiguration({ path: config, env: host.env });
    const now = Date.now();
    const { before, ended } = resetClock(configuration, () => now, {
      endTokens,
      warn(sentence) {
        host.stderr.write(`certbound: warning: ${sentence}\n`);
      },
    });
    const was = before === 0 ? "unknown" : new Date(before).toISOString();
    host.stdout.write(
      `The store's time was ${was}; it is now ${new Date(now).toISOString()}. ` +
        `Deleted tokens, which were issued later than that: ${ended}.\n`,
    );
    return 0;
  } catch (error) {
    const explained = explainStartFailure(error);
    if (explained === undefined) throw error;
    host.stderr.write(`certbound: ${explained}\n`);
    return cannotReset;
  }
}
