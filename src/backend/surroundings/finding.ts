import type { Problem } from "../configuration/configuration-error.ts";

/** What is not as a start needs it (`fatal`), or may not be as it was meant. */
export interface Finding extends Problem {
  readonly fatal: boolean;
}

export function problem(path: string, sentence: string): Finding {
  return { path, sentence, fatal: true };
}

export function warning(path: string, sentence: string): Finding {
  return { path, sentence, fatal: false };
}
