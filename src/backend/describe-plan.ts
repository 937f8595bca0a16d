import {
  ownerKey,
  type ConfigurationPlan,
  type NamedOwner,
  type Removal,
} from "./engine/settings/configuration-plan.ts";
import type { LiveTokens } from "./store/store.ts";

/** Lines of a kind that are written out; the rest is counted. */
const mostListed = 50;

/**
 * Describes the changes of a configuration, one per line: ids, names, names of members and numbers of tokens, never a
 * value.
 *
 * @example describePlan(plan) // ['changes client 1004/17 "batch": tlsClientAuthSubjectDn']
 */
export function describePlan({ added, changed, removed }: ConfigurationPlan): string[] {
  return [
    ...listed(added, (owner) => [`adds ${describeOwner(owner)}`]),
    ...listed(changed, (owner) => [
      `changes ${describeOwner(owner)}: ${owner.members.join(", ")}`,
      ...owner.effects.map((effect) => `  ${effect}`),
    ]),
    ...listed(removed, (removal) => [`removes ${describeRemoval(removal)}`]),
  ];
}

function describeRemoval({ liveTokens, ...removal }: Removal): string {
  const owner = describeOwner(removal);
  const none = liveTokens?.complete === true && liveTokens.count === 0;
  return none ? `${owner}, which has no live tokens` : `${owner} and ends ${describeTokens(liveTokens)} for good`;
}

/** A service or client by its ids and its name. */
export function describeOwner(owner: NamedOwner): string {
  const { clientId, name } = owner;
  const what = `${clientId === undefined ? "service" : "client"} ${ownerKey(owner)}`;
  return name === undefined ? what : `${what} ${JSON.stringify(name)}`;
}

/** How many tokens are live, or that this is not known. */
export function describeTokens(tokens: LiveTokens | undefined): string {
  if (tokens === undefined) return "its live tokens (not counted)";
  const { count, complete } = tokens;
  if (complete) return `${count === 0 ? "no" : count} live ${count === 1 ? "token" : "tokens"}`;
  return count === 0 ? "perhaps live tokens (too many old ones to count)" : `more than ${count} live tokens`;
}

function listed<Entry>(entries: readonly Entry[], lines: (entry: Entry) => string[]): string[] {
  const rest = entries.length - mostListed;
  return [...entries.slice(0, mostListed).flatMap(lines), ...(rest > 0 ? [`  and ${rest} more of this kind`] : [])];
}
