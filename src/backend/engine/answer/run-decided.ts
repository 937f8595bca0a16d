import type { Context } from "../context.ts";
import type { Command } from "../../store/command.ts";
import type { CommandOutcome, Store } from "../../store/store.ts";
import type { Dependencies, Random } from "../dependencies.ts";

/** Facts kept changing under every decision; the caller may ask again (503). */
export class DecisionContended extends Error {
  override readonly name = "DecisionContended";
}

/** A decision: either it needs nothing written, or the command that makes it so. */
export interface Decided<Outcome> {
  readonly outcome: Outcome;
  readonly command?: Command;
  /** A conflict means that another request has done it already: the outcome is valid. */
  readonly settledByConflict?: true;
}

const attempts = 3;

/**
 * Decides from fresh facts and carries the decision out; after a conflict it decides again, three times in all.
 *
 * `decide` draws a new `attempt` each time. Throws {@link DecisionContended} when facts never held still, and
 * `StoreFailure` when the store failed twice running: then it is not known whether the decision was carried out.
 */
export async function runDecided<Outcome>(
  { store }: Dependencies,
  decide: () => Promise<Decided<Outcome>>,
): Promise<Outcome> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const { outcome, command, settledByConflict } = await decide();
    if (command === undefined) return outcome;
    if ((await runTwiceAtMost(store, command)) === "done" || settledByConflict === true) return outcome;
  }
  throw new DecisionContended("The facts of the decision changed each time it was taken.");
}

/**
 * The same as {@link runDecided}, with the service of each attempt: first as it was read when the API caller was
 * authenticated; after a conflict, which means that something has changed, it is read again. `gone` is the answer when
 * it was deleted.
 *
 * @example runForService(context, () => oauthError(service, "server_error", "A003201"), (context) => decide(context));
 */
export function runForService<Outcome>(
  context: Context,
  gone: () => Outcome,
  decide: (context: Context) => Promise<Decided<Outcome>>,
): Promise<Outcome> {
  const { settings, service: first } = context;
  let isFirst = true;
  return runDecided(context, async () => {
    if (isFirst) {
      isFirst = false;
      return decide(context);
    }
    const service = await settings.service(first.settings.apiKey);
    return service === undefined ? { outcome: gone() } : decide({ ...context, service });
  });
}

/**
 * After a failure it is unknown whether the command was stored and only its answer was lost. So the same attempt is run
 * once more: the store recognises an attempt that it has stored.
 */
export async function runTwiceAtMost(store: Store, command: Command): Promise<CommandOutcome> {
  try {
    return await store.run(command);
  } catch {
    return store.run(command);
  }
}

/** Marks one decision's command, so that the store recognises it when it is run again. */
export function newAttempt(random: Random): Uint8Array {
  return random(16);
}
