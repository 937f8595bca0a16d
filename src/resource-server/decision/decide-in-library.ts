import { decideAccess } from "../../oauth/access-token-decision.ts";
import { tokenDigestText } from "../../oauth/token-digest.ts";
import { type AccessToken, freezeDeeply, withSignals } from "./access-token.ts";
import { AccessTokenRefused } from "../refusal/access-token-refused.ts";
import type { Rememberable } from "../cache/answer-memory.ts";
import { type Decide, type DecisionParts, type Verdict, demandOf, withOwnResource } from "./decide.ts";
import { evidenceOf } from "../refusal/diagnosis.ts";
import type { FactsSource } from "../sources/facts-source.ts";
import type { TokenRecord } from "../sources/introspection-answer.ts";
import type { AskSource } from "../cache/remembered-answers.ts";

interface RememberedRecord extends Rememberable {
  readonly record: TokenRecord;
  /** The access token of the record, with its signal. */
  readonly accessToken: AccessToken | undefined;
  /** The offset from the monotonic clock to the issuer's time, milliseconds since 1970. */
  readonly clockOffset: number;
  /** Reported with the first decision about this answer only. */
  bindingLost: boolean;
}

/**
 * Decides in the library by facts: requests and cached answers are about the token only and serve every request.
 *
 * Expiry, scopes, subject, audience and the confirmation against the connection's certificate are checked on every
 * request, so neither certificate nor requirement is sent.
 *
 * @example const decide = decideInLibrary(source, { remembered, monotonicClock, sourceClock, … })
 */
export function decideInLibrary(source: FactsSource, parts: DecisionParts): Decide {
  const { monotonicClock, sourceClock } = parts;
  const answers = parts.remembered<RememberedRecord>({
    refusalOf: ({ positive }) => (positive ? undefined : new AccessTokenRefused("token_unknown")),
    basisOf: ({ record }) => JSON.stringify({ ...record.facts, exp: undefined }),
  });

  /** A separate function: it is retained while the token is watched, so its closure is retained, too. */
  function questionOf(token: string, key: string): AskSource<RememberedRecord> {
    return (signal, askedAt) => ask(token, key, signal, askedAt);
  }

  async function ask(token: string, key: string, signal: AbortSignal, askedAt: number): Promise<RememberedRecord> {
    const { record: given, answeredAt, ...rest } = await source.ask(token, { signal });
    const clockOffset = sourceClock.offsetOf(askedAt, answeredAt);
    // A source may be the user's own, and its answer serves many requests.
    const record = freezeDeeply(given);
    if (!("accessToken" in record)) {
      const nobody = { accessToken: undefined, positive: false, expiresAt: Infinity, bindingLost: false };
      return { ...rest, record, clockOffset, ...nobody };
    }
    const { exp } = record.facts;
    const expiresAt = exp === undefined ? Infinity : exp * 1000 - clockOffset;
    const bindingLost = parts.watch.look(record.facts, record.accessToken, monotonicClock() + clockOffset);
    const again = questionOf(token, key);
    const handOut = withSignals(record.accessToken, () => answers.watch(key, answer, again));
    const answer: RememberedRecord = {
      ...rest,
      record,
      get accessToken() {
        return handOut();
      },
      positive: true,
      expiresAt,
      clockOffset,
      bindingLost,
    };
    return answer;
  }

  return async (question): Promise<Verdict> => {
    const { token, certificate: presented, requirement } = question;
    const key = tokenDigestText(token);
    const demand = demandOf(question);
    const remembered = answers.recall(key, demand.maxAge);
    const facts = remembered === undefined ? "asked" : "remembered";
    const answer = remembered ?? (await answers.ask(key, questionOf(token, key), demand));
    const { record, accessToken, bindingLost } = answer;
    if (!("accessToken" in record) || accessToken === undefined) {
      const reason = "reason" in record ? record.reason : undefined;
      return { granted: false, code: "token_unknown", facts, ...(reason !== undefined && { reason }) };
    }
    const demanded = withOwnResource(requirement, record.facts, parts);
    if (bindingLost) answer.bindingLost = false;
    const now = monotonicClock() + answer.clockOffset;
    const decision = decideAccess(record.facts, demanded, presented, now);
    if (decision.granted) return { granted: true, accessToken, facts, bindingLost };
    const { code } = decision;
    const evidence = evidenceOf(code, { facts: record.facts, requirement: demanded, presented, now });
    const reason = code.startsWith("confirmation_") ? record.remark : undefined;
    return { granted: false, code, evidence, accessToken, facts, bindingLost, ...(reason && { reason }) };
  };
}
