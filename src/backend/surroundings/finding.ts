import type { Problem } from "../configuration/configuration-error.ts";

/** A reason why a start would fail (`fatal`), or a probable mistake. */
export interface Finding extends Problem {
  readonly fatal: boolean;
}

export function problem(path: string, sentence: string): Finding {
  return { path, sentence, fatal: true };
}

export function warning(path: string, sentence: string): Finding {
  return { path, sentence, fatal: false };
}
