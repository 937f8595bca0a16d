import type {
  AnswerHeaders,
  IntrospectionOperations,
  IntrospectionQuestion,
  IntrospectionResponse,
} from "../../api-client/introspection-caller.ts";
import { readRefusal } from "../../contract/introspection-refusals.ts";
import {
  type ActiveTokenFacts,
  decideAccess,
  type PresentedCertificate,
  type RefusalCode,
} from "../../oauth/access-token-decision.ts";
import { tokenDigestText } from "../../oauth/token-digest.ts";
import { optionError } from "../../options/option-error.ts";
import { writePem } from "../../x509/pem.ts";
import { AccessTokenRefused } from "../refusal/access-token-refused.ts";
import { type AccessToken, freezeDeeply, type TokenDescription, withSignal } from "./access-token.ts";
import type { Rememberable } from "../cache/answer-memory.ts";
import type { AskSource } from "../cache/remembered-answers.ts";
import {
  type Decide,
  type DecisionParts,
  type DecisionRequest,
  type Verdict,
  demandOf,
  withOwnResource,
} from "./decide.ts";
import { evidenceOf, type DecisionInputs } from "../refusal/diagnosis.ts";
import { IntrospectionMalformed, IntrospectionUnavailable } from "../refusal/introspection-unavailable.ts";
import { answeredAtByDate, answeredAtByLife } from "../sources/answered-at.ts";
import { readBinding } from "../sources/answered-binding.ts";
import { instantOrNone, nameList, scopeList, textOrNone } from "../sources/checked-members.ts";
import { exact } from "../sources/dialects.ts";
import { kindDefect } from "../sources/token-kind.ts";

interface RememberedVerdict extends Rememberable {
  /** The offset from the monotonic clock to the backend's time, milliseconds since 1970. */
  readonly clockOffset: number;
  /** Reported with the first decision about this answer only. */
  bindingLost: boolean;
  readonly verdict: BackendRefusal | BackendAcceptance<AccessToken>;
}

interface BackendAcceptance<Token> {
  readonly granted: true;
  readonly accessToken: Token;
  readonly facts: ActiveTokenFacts;
}

/** The answer as read, before it gets a signal. */
interface ReadVerdict {
  readonly verdict: BackendRefusal | BackendAcceptance<TokenDescription>;
  /** What the backend's clock showed at the answer, if known. */
  readonly answeredAt?: number | undefined;
  readonly size?: number;
}

interface BackendRefusal {
  readonly granted: false;
  readonly code: RefusalCode | "request_malformed";
  readonly reason: string;
}

/**
 * Lets the backend decide: passes token, certificate and requirement to `auth/introspection` and follows its `action`.
 *
 * An answer is reused for the identical request only. The binding of an accepted token to the presented certificate,
 * and its expiry, are checked here again on every request. These answers have no invalidation keys: the stream of
 * events does not cover them, and a token's `signal` depends on repeated requests.
 *
 * @example const decide = decideAtBackend(backend, { remembered, monotonicClock, sourceClock, … })
 */
export function decideAtBackend(backend: IntrospectionOperations, parts: DecisionParts, issuer?: string): Decide {
  const { monotonicClock, sourceClock } = parts;
  const answers = parts.remembered<RememberedVerdict>({
    refusalOf: ({ verdict }) => (verdict.granted ? undefined : new AccessTokenRefused(verdict.code)),
    basisOf: ({ verdict }) => JSON.stringify(verdict.granted && { ...verdict.facts, exp: undefined }),
  });

  /** A separate function: it is retained while the token is watched, so its closure is retained, too. */
  function askingFor(request: IntrospectionQuestion, key: string): AskSource<RememberedVerdict> {
    return (signal, askedAt) => ask(request, key, signal, askedAt);
  }

  async function ask(
    request: IntrospectionQuestion,
    key: string,
    signal: AbortSignal,
    askedAt: number,
  ): Promise<RememberedVerdict> {
    let byDate: number | undefined;
    const onHeaders = (headers: AnswerHeaders): void => {
      byDate = answeredAtByDate(headers);
    };
    const answered = await backend.authIntrospection(request, { signal, onHeaders });
    const { verdict, answeredAt = byDate, size } = readAnswer(answered, issuer);
    const clockOffset = sourceClock.offsetOf(askedAt, answeredAt);
    if (!verdict.granted) return { positive: false, expiresAt: Infinity, clockOffset, verdict, bindingLost: false };
    const { exp } = verdict.facts;
    const expiresAt = exp === undefined ? Infinity : exp * 1000 - clockOffset;
    const bindingLost = parts.watch.look(verdict.facts, verdict.accessToken, monotonicClock() + clockOffset);
    const again = askingFor(request, key);
    const accessToken = withSignal(verdict.accessToken, () => answers.watch(key, answer, again));
    const granted = { ...verdict, accessToken };
    const answer = { positive: true, expiresAt, size, clockOffset, verdict: granted, bindingLost };
    return answer;
  }

  return async (question): Promise<Verdict> => {
    const presented = question.certificate;
    if (presented !== undefined && "unreadable" in presented) {
      const evidence = evidenceOf("certificate_unreadable", inputsOf(question, presented, NaN));
      return { granted: false, code: "certificate_unreadable", evidence, facts: undefined };
    }
    const { scopes, subject, resources, binding } = question.requirement;
    const identity = JSON.stringify([presented?.x5tS256, scopes, subject, resources]);
    const key = `${tokenDigestText(question.token)} ${identity}`;
    const demand = demandOf(question);
    const askAnew = () => answers.ask(key, askingFor(asQuestion(question), key), demand);
    const remembered = answers.recall(key, demand.maxAge);
    const facts = remembered === undefined ? "asked" : "remembered";
    const answer = remembered ?? (await askAnew());
    const { verdict, bindingLost } = answer;
    const now = monotonicClock() + answer.clockOffset;
    if (!verdict.granted) {
      const { code } = verdict;
      if (code === "request_malformed") return { ...verdict, facts };
      return { ...verdict, facts, evidence: evidenceOf(code, inputsOf(question, presented, now)) };
    }
    if (bindingLost) answer.bindingLost = false;
    const { accessToken } = verdict;
    const demanded = withOwnResource({ binding, ...(resources && { resources }) }, verdict.facts, parts);
    const decision = decideAccess(verdict.facts, demanded, presented, now);
    if (decision.granted) return { granted: true, accessToken, facts, bindingLost };
    const { code } = decision;
    const evidence = evidenceOf(code, { facts: verdict.facts, requirement: demanded, presented, now });
    return { granted: false, code, evidence, accessToken, facts, bindingLost };
  };
}

/** The backend refuses with a code and without facts about the token. */
function inputsOf({ requirement }: DecisionRequest, presented: PresentedCertificate, now: number): DecisionInputs {
  return { facts: undefined, requirement, presented, now };
}

function asQuestion({ token, certificate, requirement }: DecisionRequest): IntrospectionQuestion {
  const { scopes, subject, resources } = requirement;
  return {
    token,
    ...(certificate !== undefined && "x5tS256" in certificate && { clientCertificate: pem(certificate.raw) }),
    ...(scopes && { scopes: [...scopes] }),
    ...(subject !== undefined && { subject }),
    ...(resources && { resources: [...resources] }),
  };
}

function pem(der: Uint8Array | undefined): string {
  if (der !== undefined) return writePem(der);
  throw optionError("certificate.raw", 'is required with decide: "backend"; a source of thumbprints is not enough');
}

/** Maps each action; a known result code gives the exact refusal. */
function readAnswer(answer: IntrospectionResponse, issuer: string | undefined): ReadVerdict {
  const refused = (code: BackendRefusal["code"]): ReadVerdict =>
    refusal(code, `the backend refused: ${reasonOf(answer)}`);
  switch (answer.action) {
    case "OK":
      return readAccepted(answer, issuer);
    case "BAD_REQUEST":
      return refused("request_malformed");
    case "UNAUTHORIZED":
    case "FORBIDDEN":
      return refused(readRefusal(answer.action, answer.resultCode));
    case "INTERNAL_SERVER_ERROR":
      throw new IntrospectionUnavailable(`the backend failed: ${reasonOf(answer)}`);
    default:
      throw new IntrospectionMalformed("its action is unknown");
  }
}

function refusal(code: BackendRefusal["code"], reason: string): ReadVerdict {
  return { verdict: { granted: false, code, reason } };
}

function reasonOf({ resultCode }: IntrospectionResponse): string {
  return /^A\d{6}$/.test(resultCode) ? resultCode : "no result code";
}

function readAccepted(given: IntrospectionResponse, issuer: string | undefined): ReadVerdict {
  // A copy, because it is frozen here, and a backend in the same process may still use the original.
  const answer = structuredClone(given);
  // Checked, because a backend in the same process may be the user's own; Authlete writes null for no value.
  const scopes = scopeList("scopes", answer.scopes ?? []);
  const audience = nameList("accessTokenResources", answer.accessTokenResources ?? []);
  const subject = textOrNone("subject", answer.subject ?? undefined);
  const expiresAt = answer.expiresAt ?? undefined;
  if (answer.usable === false || answer.existent === false || answer.sufficient === false) {
    throw new IntrospectionMalformed("its action is OK and its members contradict that");
  }
  const defect = kindDefect(answer, exact);
  if (defect !== undefined) return refusal("token_unknown", `it is not an access token: ${defect}`);
  const { confirmation } = readBinding(answer, scopes, exact);
  // 0 or absent: no known expiry (Authlete's API omits members without a value).
  const ends = expiresAt === 0 ? undefined : expiresAt;
  const facts: ActiveTokenFacts = {
    active: true,
    exp: instantOrNone("expiresAt", typeof ends === "number" ? ends / 1000 : ends),
    nbf: undefined,
    sub: subject,
    scopes,
    audience,
    confirmation,
  };
  const accessToken: TokenDescription = {
    active: true,
    // The API does not name the issuer; it is the one that was asked.
    issuer,
    sub: subject,
    clientId: clientIdOf(answer),
    scopes,
    audience,
    exp: ends === undefined ? undefined : Math.floor(ends / 1000),
    iat: undefined,
    nbf: undefined,
    tokenType: undefined,
    x5tS256: confirmation.kind === "certificate" ? confirmation.x5tS256 : undefined,
    claims: answer,
  };
  const size = JSON.stringify(answer).length;
  const answeredAt = answeredAtByLife("expiresIn", ends, answer.expiresIn);
  return { ...freezeDeeply({ verdict: { granted: true, accessToken, facts } as const }), answeredAt, size };
}

function clientIdOf({ clientId, clientIdAlias, clientIdAliasUsed }: IntrospectionResponse): string | undefined {
  if (clientIdAliasUsed === true && clientIdAlias !== undefined) return clientIdAlias;
  return clientId === undefined ? undefined : String(clientId);
}
