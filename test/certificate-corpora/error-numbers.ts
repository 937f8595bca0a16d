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
