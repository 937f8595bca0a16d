/** The values of `prompt` (OpenID Connect Core §3.1.2.1, Initiating User Registration §4). */
export type Prompt = "none" | "login" | "consent" | "select_account" | "create";

/** `alone`: `none` stands beside others. */
export type PromptReading = readonly Prompt[] | { readonly error: "unknown" | "alone" };

/** What asks most of the user first. */
const byDemand: readonly Prompt[] = ["none", "create", "login", "select_account", "consent"];

/**
 * Reads a `prompt` value: words with one blank between them; order kept, duplicates dropped. `none` stands alone.
 *
 * @example readPrompt("login consent") // ["login", "consent"]
 */
export function readPrompt(text: string): PromptReading {
  const words = [...new Set(text.split(" "))];
  const prompts = words.flatMap((word) => byDemand.find((prompt) => prompt === word) ?? []);
  if (prompts.length < words.length) return { error: "unknown" };
  if (prompts.includes("none") && prompts.length > 1) return { error: "alone" };
  return prompts;
}

/**
 * The one of them that demands most of the user; `consent` when there is none (Authlete's API).
 *
 * @example lowestPrompt(["consent", "login"]) // "login"
 */
export function lowestPrompt(prompts: readonly Prompt[]): Prompt {
  return byDemand.find((prompt) => prompts.includes(prompt)) ?? "consent";
}
