/** A character that a text may not have; `at` counts from 1. */
export interface Outsider {
  readonly at: number;
  readonly ascii: boolean;
}

/**
 * The first character of a text that is not one of a class; `undefined` when all are.
 *
 * @example firstOutside("a b", /[a-z]/) // { at: 2, ascii: true }
 */
export function firstOutside(text: string, characterClass: RegExp): Outsider | undefined {
  for (const [index, character] of Array.from(text).entries()) {
    if (!characterClass.test(character)) return { at: index + 1, ascii: character <= "\x7f" };
  }
  return undefined;
}
