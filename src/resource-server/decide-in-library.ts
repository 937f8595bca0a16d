import { decideAccess } from "../oauth/access-token-decision.ts";
import { tokenDigestText } from "../oauth/token-digest.ts";
import type { Rememberable } from "./answer-memory.ts";
import { type Decide, type DecisionParts, type Verdict, withOwnResource } from "./decide.ts";
import { evidenceOf } from "./evidence.ts";
import type { FactsSource } from "./facts-source.ts";
import { readPresented } from "./read-presented.ts";
import type { TokenRecord } from "./introspection-answer.ts";

interface RememberedRecord extends Rememberable {
  readonly record: TokenRecord;
  /** Told with the first decision over this answer, and then no more. */
  bindingLost: boolean;
}

/**
 * Decides here, over facts: what is asked and remembered is about the token alone, and good for every asker.
 *
 * Expiry, scopes, subject, audience and the confirmation against this connection's certificate are computed on every
 * request; so neither certificate nor requirement is sent.
 *
 * @example const decide = decideInLibrary(source, { remembered, clock, ownResources: [], audienceUnchecked })
 */
export function decideInLibrary(source: FactsSource, parts: DecisionParts): Decide {
  const { clock } = parts;
  const answers = parts.remembered<RememberedRecord>();

  async function ask(token: string, signal: AbortSignal): Promise<RememberedRecord> {
    const { record } = await source.ask(token, { signal });
    if (!record.facts.active) return { record, positive: false, usableUntil: undefined, bindingLost: false };
    const { exp } = record.facts;
    const bindingLost = "accessToken" in record && parts.watch.look(record.facts, record.accessToken);
    return { record, positive: true, usableUntil: exp === undefined ? undefined : exp * 1000, bindingLost };
  }

  return async ({ token, certificate, requirement, signal }): Promise<Verdict> => {
    const presented = readPresented(certificate);
    const key = tokenDigestText(token);
    const remembered = answers.recall(key);
    const facts = remembered === undefined ? "asked" : "remembered";
    const answer = remembered ?? (await answers.ask(key, (stop) => ask(token, stop), signal));
    const { record, bindingLost } = answer;
    if (!("accessToken" in record)) {
      return { granted: false, code: "token_unknown", facts, ...(record.reason && { reason: record.reason }) };
    }
    const { accessToken } = record;
    const demanded = withOwnResource(requirement, record.facts, parts);
    if (bindingLost) answer.bindingLost = false;
    const now = clock();
    const decision = decideAccess(record.facts, demanded, presented, now);
    if (decision.granted) return { granted: true, accessToken, facts, bindingLost };
    const { code } = decision;
    const evidence = evidenceOf(code, { facts: record.facts, requirement: demanded, presented, now });
    const reason = code.startsWith("confirmation_") ? record.remark : undefined;
    return { granted: false, code, evidence, accessToken, facts, bindingLost, ...(reason && { reason }) };
  };
}
