/** RFC 6749 §3.3: scope values hold no space, so a space joins them without loss. */
export function writeScopes(scopes: readonly string[]): string {
  return scopes.join(" ");
}

export function readScopes(text: string): string[] {
  return text === "" ? [] : text.split(" ");
}

const noResources = "[]";

export function writeResources(resources: readonly string[]): string {
  return resources.length === 0 ? noResources : JSON.stringify(resources);
}

export function readResources(text: string): string[] {
  return text === noResources ? [] : (JSON.parse(text) as string[]);
}

/** What a parameter `$n` may be; instants and ids are whole numbers up to 2^53 - 1. */
export type SqlValue = string | number | Uint8Array | null;

export interface Statement {
  /** With parameters `$1…`, each of one type throughout. */
  readonly sql: string;
  readonly values: readonly SqlValue[];
  /** A guard must change a row; when it does not, nothing of the command is written. */
  readonly guard?: true;
  /** The reverse: it must change no row; when it does, nothing of the command is written. */
  readonly forbidden?: true;
}

/** How a command is carried out: its statements in order, within one transaction. */
export interface Plan {
  readonly statements: readonly Statement[];
  /**
   * Answers a row when this very attempt was applied before: asked after a guard refused, a row means `done`, none
   * `conflict`. `undefined`: applying it twice is the same as once.
   */
  readonly applied: Statement | undefined;
}
