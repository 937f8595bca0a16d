import type { CertificateOfConnection } from "../../client-certificate/certificate-source.ts";
import type { ActiveTokenFacts, RefusalCode, Requirement } from "../../oauth/access-token-decision.ts";
import type { AccessToken } from "./access-token.ts";
import type { BindingWatch } from "../observers/binding-watch.ts";
import type { DiagnosisDetails } from "../refusal/diagnosis.ts";
import type { ReadsAnswers } from "../cache/live-tokens.ts";
import type { CheckedRequirement } from "./read-requirement.ts";
import type { RememberedAnswers, AnswerDemand } from "../cache/remembered-answers.ts";
import type { Rememberable } from "../cache/answer-memory.ts";
import type { SourceClock } from "../cache/source-clock.ts";

/** A checked request for a decision. */
export interface DecisionRequest {
  readonly token: string;
  readonly certificate: CertificateOfConnection;
  readonly requirement: CheckedRequirement;
  readonly signal: AbortSignal | undefined;
}

/** A decision, with the token if it is known, and whether its facts were cached. */
export type Verdict = (
  | { readonly granted: true; readonly accessToken: AccessToken }
  | {
      readonly granted: false;
      readonly code: RefusalCode | "request_malformed";
      readonly reason?: string;
      readonly accessToken?: AccessToken;
      readonly evidence?: DiagnosisDetails;
    }
) & {
  readonly facts: "remembered" | "asked" | undefined;
  /** This is the first decision about an answer that shows that a client has lost its binding. */
  readonly bindingLost?: boolean;
};

/** Decides about a request; rejects if the token cannot be checked. */
export type Decide = (question: DecisionRequest) => Promise<Verdict>;

/** What both ways of deciding need. */
export interface DecisionParts {
  readonly remembered: <Answer extends Rememberable>(reads: ReadsAnswers<Answer>) => RememberedAnswers<Answer>;
  readonly monotonicClock: () => number;
  /** The issuer's clock, by which `exp` and `nbf` are checked; advanced by the monotonic clock. */
  readonly sourceClock: SourceClock;
  /** The names of the resource server; the audience of a token must include one of them. Empty: not checked. */
  readonly ownResources: readonly string[];
  /** Gets each answer once, when it arrives, even if nobody waits for it any more. */
  readonly watch: BindingWatch;
  /** Called if a token has an audience that is not checked (RFC 9700 §2.3). */
  readonly audienceUnchecked: () => void;
}

/**
 * Returns what a request requires of an answer.
 *
 * @example demandOf({ token, certificate, requirement: { binding: "required", maxAge: 1 }, signal }).maxAge // 1000
 */
export function demandOf({ requirement: { maxAge }, signal }: DecisionRequest): AnswerDemand {
  return { signal, maxAge: maxAge === undefined ? undefined : maxAge * 1000 };
}

/**
 * Adds the resource server's own audience to the requirement: one of its names that the token has, else its first.
 *
 * @example withOwnResource({ binding: "required" }, facts, ["https://api.example.com"])
 */
export function withOwnResource(
  requirement: Requirement,
  { audience }: ActiveTokenFacts,
  { ownResources, audienceUnchecked }: Pick<DecisionParts, "ownResources" | "audienceUnchecked">,
): Requirement {
  const own = ownResources.find((name) => audience.includes(name)) ?? ownResources[0];
  if (own !== undefined) return { ...requirement, resources: [own, ...(requirement.resources ?? [])] };
  if (audience.length > 0 && requirement.resources === undefined) audienceUnchecked();
  return requirement;
}
