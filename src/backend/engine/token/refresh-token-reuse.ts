import type { TokenResponse } from "../../../contract/auth-token.ts";
import type { StoredRefreshToken } from "../../store/store.ts";
import { newAttempt } from "../attempt.ts";
import type { Dependencies } from "../dependencies.ts";
import type { Service } from "../management/settings-memo.ts";
import { oauthError } from "../oauth-error.ts";
import type { Decided } from "../run-decided.ts";
import { openSealedAnswer, type RefreshQuestion } from "./sealed-answer.ts";

type Reuse = NonNullable<StoredRefreshToken["consumption"]> & { readonly value: string; readonly grantId: string };

/** How long an answer that may not have arrived is given again; in milliseconds. */
const window = 30_000;

/**
 * Decides over a refresh token that another has taken the place of (RFC 9700 §4.14.2).
 *
 * A client that never got its answer asks again: within 30 s, and until the successor has been used, the same question
 * has the same answer, and nothing is written. After that someone else has the one or the other: the grant ends. A
 * different question in between is what a client with two processes asks, one of which has not learnt yet: it gets no
 * token, and ends nothing, since otherwise a race of a client with itself would log its user out.
 */
export function decideReuse(
  { clock, random }: Dependencies,
  service: Service,
  { at, successorUsed, sealedAnswer, value, grantId }: Reuse,
  question: RefreshQuestion,
): Decided<TokenResponse> {
  const now = clock();
  // Both ways: a clock that was set back must not keep the window open until it has caught up.
  if (!successorUsed && now < at + window && now > at - window) {
    const response = openSealedAnswer(value, question, sealedAnswer);
    if (response !== undefined) return { outcome: { ...response, previousRefreshTokenUsed: true } };
    return { outcome: oauthError(service, "invalid_grant", "A053305", "it was just used, for another request") };
  }
  const serviceId = service.settings.apiKey;
  return {
    outcome: oauthError(service, "invalid_grant", "A053305", "it was used before: all tokens of its grant have ended"),
    command: { name: "end-grant", attempt: newAttempt(random), serviceId, grantId, endedAt: now },
  };
}
