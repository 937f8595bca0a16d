import type { Random } from "./dependencies.ts";

/** Marks one decision's command, so that the store recognises it when it is run again. */
export function newAttempt(random: Random): Uint8Array {
  return random(16);
}
