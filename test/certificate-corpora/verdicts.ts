import type { ExecutionContext } from "ava";
import type { ChainVerdict } from "../../src/backend/engine/dependencies.ts";

/**
 * OpenSSL's errors of a reason as [number, depth]; its words for them differ between versions.
 *
 * Throws when there is none, so that two reasons without one are never equal.
 */
export function errorNumbers(reason: string): [number, number][] {
  const errors = [...reason.matchAll(/error (\d+) at (\d+) depth lookup/g)];
  if (errors.length === 0) throw new Error(`not OpenSSL's reason: ${reason}`);
  return errors.map(([, number, depth]) => [Number(number), Number(depth)]);
}

/** A verdict as a table of verdicts has it: `trusted`, OpenSSL's reason by its numbers, or ours to the letter. */
export function assertVerdict(t: ExecutionContext, verdict: ChainVerdict, expected: string): void {
  if (verdict.trusted) t.is("trusted", expected);
  else if (expected.startsWith("error ")) t.deepEqual(errorNumbers(verdict.reason), errorNumbers(expected));
  else t.is(verdict.reason, expected);
}
