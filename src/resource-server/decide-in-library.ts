import { decideAccess } from "../oauth/access-token-decision.ts";
import { tokenDigestText } from "../oauth/token-digest.ts";
import type { Rememberable } from "./answer-memory.ts";
import { type Decide, type DecisionParts, type Verdict, withOwnResource } from "./decide.ts";
import { readPresented } from "./read-presented.ts";
import { readStandardAnswer, type TokenRecord } from "./introspection-answer.ts";

interface RememberedRecord extends Rememberable {
  readonly record: TokenRecord;
}

/**
 * Decides here, over facts: what is asked and remembered is about the token alone, and good for every asker.
 *
 * Expiry, scopes, subject, audience and the confirmation against this connection's certificate are computed on every
 * request; so neither certificate nor requirement is sent.
 *
 * @example const decide = decideInLibrary({ backend, remembered, clock, ownResources: [], audienceUnchecked })
 */
export function decideInLibrary(parts: DecisionParts): Decide {
  const { backend, clock } = parts;
  const answers = parts.remembered<RememberedRecord>();

  async function ask(token: string, signal: AbortSignal): Promise<RememberedRecord> {
    const parameters = `token=${encodeURIComponent(token)}&token_type_hint=access_token`;
    const record = readStandardAnswer(await backend.authIntrospectionStandard({ parameters }, { signal }));
    if (!record.facts.active) return { record, positive: false, usableUntil: undefined };
    const { exp } = record.facts;
    return { record, positive: true, usableUntil: exp === undefined ? undefined : exp * 1000 };
  }

  return async ({ token, certificate, requirement, signal }): Promise<Verdict> => {
    const presented = readPresented(certificate);
    const key = tokenDigestText(token);
    const { record } = answers.recall(key) ?? (await answers.ask(key, (stop) => ask(token, stop), signal));
    if (!("accessToken" in record)) return { granted: false, code: "token_unknown" };
    const demanded = withOwnResource(requirement, record.facts, parts);
    const decision = decideAccess(record.facts, demanded, presented, clock());
    return decision.granted ? { granted: true, accessToken: record.accessToken } : decision;
  };
}
