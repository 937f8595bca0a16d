import type { ExecutionContext } from "ava";
import type { Command } from "../../../../src/backend/store/command.ts";
import type { Store } from "../../../../src/backend/store/store.ts";

/** What a store's contract says, by the sentence that says it. */
export type Checks = Readonly<Record<string, (t: ExecutionContext, store: Store) => Promise<void>>>;

/** Runs what a test takes for granted. */
export async function apply(t: ExecutionContext, store: Store, ...commands: readonly Command[]): Promise<void> {
  for (const command of commands) t.is(await store.run(command), "done", `${command.name} was not done`);
}

/** The same wish, decided upon anew. */
export function anew<C extends Command>(command: C, attempt: Uint8Array): C {
  return { ...command, attempt };
}
