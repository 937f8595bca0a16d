/** Deeper than any claim, patch or document that means something, and far from what a call stack can hold. */
export const deepestNesting = 32;

/**
 * Whether a JSON value has no more than so many levels of arrays and objects (RFC 8259 §9 allows a limit).
 *
 * A parser takes far deeper texts than whatever walks through the value afterwards, a writer of JSON among them: that
 * would fail for want of stack.
 *
 * @example isNestedWithin(deepestNesting, JSON.parse(text))
 */
export function isNestedWithin(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((member) => isNestedWithin(levels - 1, member));
}
