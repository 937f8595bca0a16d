import type { Property } from "../../contract/members.ts";

/**
 * The properties of a token that go into an answer, as members of it (Authlete's API).
 *
 * A property never takes the place of a member that the answer has a meaning for.
 */
export function propertyMembers(
  properties: readonly Property[] | undefined,
  answer: Readonly<Record<string, unknown>>,
  reserved: readonly string[],
  withHidden = false,
): Record<string, string> {
  const members: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const { key, value, hidden } of properties ?? []) {
    if (hidden === true && !withHidden) continue;
    if (!Object.hasOwn(answer, key) && !reserved.includes(key)) members[key] = value;
  }
  return members;
}
