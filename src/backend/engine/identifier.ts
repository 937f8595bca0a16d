/** Reads the number of a service or a client in its one canonical spelling; `undefined` for any other text. */
export function readIdentifier(text: string): number | undefined {
  return /^[1-9][0-9]{0,15}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
}
