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

/** One request's question, checked. */
export interface DecisionRequest {
  readonly token: string;
  readonly certificate: CertificateOfConnection;
  readonly requirement: CheckedRequirement;
  readonly signal: AbortSignal | undefined;
}

/** A decision, and what it rests on: the token where it is known, and whether that was remembered. */
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
  /** This is the first decision over an answer with which a client has lost its binding. */
  readonly bindingLost?: boolean;
};

/** Answers one request's question; rejects when it cannot be found out. */
export type Decide = (question: DecisionRequest) => Promise<Verdict>;

/** What both ways of deciding are handed. */
export interface DecisionParts {
  readonly remembered: <Answer extends Rememberable>(reads: ReadsAnswers<Answer>) => RememberedAnswers<Answer>;
  readonly monotonicClock: () => number;
  /** By which `exp` and `nbf` are judged: the issuer's, which runs on by the monotonic clock. */
  readonly sourceClock: SourceClock;
  /** The resource server's own names; a token must be meant for one of them. Empty: not checked. */
  readonly ownResources: readonly string[];
  /** Shown each answer once, as it comes, whether or not anyone still waits for it. */
  readonly watch: BindingWatch;
  /** Called when a token names an audience and nobody checks it (RFC 9700 §2.3). */
  readonly audienceUnchecked: () => void;
}

/**
 * What a question demands of its answer.
 *
 * @example demandOf({ token, certificate, requirement: { binding: "required", maxAge: 1 }, signal }).maxAge // 1000
 */
export function demandOf({ requirement: { maxAge }, signal }: DecisionRequest): AnswerDemand {
  return { signal, maxAge: maxAge === undefined ? undefined : maxAge * 1000 };
}

/**
 * The requirement with the resource server's own audience: one of its names, the first when the token has none of them.
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
