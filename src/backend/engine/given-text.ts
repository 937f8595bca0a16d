/** A text member of a request that says something: null and "" are no value (Authlete's API). */
export function givenText(member: string | null | undefined): string | undefined {
  return member === null || member === "" ? undefined : member;
}
