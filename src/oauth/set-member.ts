/**
 * Whether a member of a request says something: null, 0, false, "" and [] mean that it is unset (Authlete's API).
 *
 * @example isSet("") // false
 */
export function isSet<Value>(value: Value): value is Exclude<NonNullable<Value>, "" | 0 | false> {
  if (value === undefined || value === null || value === 0 || value === false || value === "") return false;
  return !(Array.isArray(value) && value.length === 0);
}

/**
 * A text member of a request, or `undefined` when it is unset.
 *
 * @example setText(request.subject) // "alice"
 */
export function setText(member: string | null | undefined): string | undefined {
  return isSet(member) ? member : undefined;
}
