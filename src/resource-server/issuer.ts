import { readCompactJwt } from "../oauth/compact-jwt.ts";
import { optionError } from "../options/option-error.ts";
import { disown } from "../serving/call-harmlessly.ts";
import type { Rememberable } from "./cache/answer-memory.ts";
import { createQuestionQueue } from "./cache/question-queue.ts";
import { noCoverage } from "./cache/freshness.ts";
import type { ReadsAnswers } from "./cache/live-tokens.ts";
import { createRememberedAnswers, type RememberedAnswers } from "./cache/remembered-answers.ts";
import { type Schedule, systemSchedule, type ResourceServerClocks, type Warning } from "./environment.ts";
import { createSourceClock } from "./cache/source-clock.ts";
import { createStreamFollower, type StreamFollower } from "./cache/stream-follower.ts";
import { decideAtBackend } from "./decision/decide-at-backend.ts";
import { decideInLibrary } from "./decision/decide-in-library.ts";
import type { Decide, DecisionParts } from "./decision/decide.ts";
import type { ResolvedIssuer } from "./issuer-options.ts";
import { createBindingWatch } from "./observers/binding-watch.ts";
import { IntrospectionMalformed, IntrospectionUnavailable } from "./refusal/introspection-unavailable.ts";
import type { IssuerOption } from "./setup/setup-cause.ts";
import { type FactsSource, issuerInTokens } from "./sources/facts-source.ts";

/** Reads the `iss` of a JWT, at most once per request; `undefined` for any other token. */
type ReadIss = () => unknown;

/** One issuer of tokens, with its own cache. */
export interface Issuer {
  readonly name: string | undefined;
  readonly option: IssuerOption;
  /** Whether a token claims to be one of this issuer's; `iss` reads it from the token. */
  readonly claims: ((token: string, iss: ReadIss) => boolean) | undefined;
  readonly decide: Decide;
  /** Requests an unknown token; rejects if the issuer cannot be used. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** What an issuer needs besides its options. */
export interface IssuerParts extends Omit<DecisionParts, "remembered" | "watch" | "sourceClock">, ResourceServerClocks {
  readonly warn: (warning: Warning) => void;
  /** Default: the process's timers. */
  readonly schedule?: Schedule | undefined;
}

/** Too short to be a real token. */
const unusedToken = "warm-up";

/** Creates the connection between a resource server and one issuer. */
export function openIssuer(resolved: ResolvedIssuer, parts: IssuerParts): Issuer {
  const { name, source, option, decidingBackend, limits, timeout } = resolved;
  const { clock, monotonicClock, schedule = systemSchedule } = parts;
  const queue = createQuestionQueue(resolved.questions);
  const memories: Pick<RememberedAnswers<never>, "invalidate" | "invalidateAll" | "close">[] = [];
  const stream = followStream(resolved, { ...parts, schedule }, memories);
  const all: DecisionParts = {
    ...parts,
    ...(source.checksAudience === true && { audienceUnchecked: () => undefined }),
    watch: createBindingWatch({ issuer: name, warn: parts.warn, monotonicClock }),
    sourceClock: createSourceClock({ issuer: name, warn: parts.warn, clock, monotonicClock }),
    remembered<Answer extends Rememberable>(reads: ReadsAnswers<Answer>) {
      const answers = createRememberedAnswers<Answer>({
        ...reads,
        limits,
        maxWatched: limits.maxWatched,
        timeout,
        queue,
        coverage: stream?.coverage ?? noCoverage,
        onQuestion: () => stream?.start(),
        monotonicClock,
        schedule,
      });
      memories.push(answers);
      return answers;
    },
  };
  return {
    name,
    option,
    claims: claimsOf(source),
    decide:
      decidingBackend === undefined
        ? decideInLibrary(ofIssuer(source, name), all)
        : decideAtBackend(decidingBackend, all, name),
    async check() {
      const stop = new AbortController();
      let cancel: (() => void) | undefined;
      // Not only by the signal: a user's source may ignore it.
      const late = new Promise<never>((_resolve, reject) => {
        cancel = schedule(() => {
          const error = new IntrospectionUnavailable(`no answer within ${timeout} ms`);
          reject(error);
          stop.abort(error);
        }, timeout);
      });
      try {
        await Promise.race([source.ask(unusedToken, { signal: stop.signal }), late]);
      } finally {
        cancel?.();
      }
    },
    async close() {
      stream?.close();
      for (const memory of memories) memory.close();
      await source.close();
    },
  };
}

function claimsOf(source: FactsSource): Issuer["claims"] {
  const named = issuerInTokens.get(source);
  return named === undefined ? source.claims?.bind(source) : (_token, iss) => iss() === named;
}

/** Follows the source's stream, if there is one and it is enabled; its events invalidate answers in these caches. */
function followStream(
  { name, source, decidingBackend, limits }: ResolvedIssuer,
  { warn, monotonicClock, schedule }: IssuerParts & { readonly schedule: Schedule },
  memories: readonly Pick<RememberedAnswers<never>, "invalidate" | "invalidateAll">[],
): StreamFollower | undefined {
  const open = source.events?.bind(source);
  // The decisions of a backend have no invalidation keys, and without a cache there is nothing to invalidate.
  if (open === undefined || decidingBackend !== undefined || !limits.push || limits.ttl === 0) return undefined;
  return createStreamFollower({
    open,
    lease: limits.lease,
    monotonicClock,
    schedule,
    onInvalidation: (keys) => {
      for (const memory of memories) memory.invalidate(keys);
    },
    onLoss: () => {
      for (const memory of memories) memory.invalidateAll();
    },
    onRefused: (status) => {
      warn({
        code: "CERTBOUND_NO_PUSH",
        message:
          `The stream of invalidation events${name === undefined ? "" : ` of ${name}`} is refused (HTTP ${status}): ` +
          `revocations are noticed within cache.ttl (${limits.ttl / 1000} s). Allow it, or set cache.push to false.`,
      });
    },
  });
}

/**
 * A source whose answers belong to this issuer: an answer that names another issuer is malformed, one that names none
 * gets this issuer.
 *
 * @example ofIssuer(source, "https://as.example.com")
 */
function ofIssuer(source: FactsSource, issuer: string | undefined): FactsSource {
  if (issuer === undefined) return source;
  return {
    issuer,
    events: source.events,
    async ask(token, how) {
      const answer = await source.ask(token, how);
      const { record } = answer;
      if (!("accessToken" in record) || record.accessToken.issuer === issuer) return answer;
      if (record.accessToken.issuer !== undefined) throw new IntrospectionMalformed("its iss is another issuer");
      // Not frozen here: the decision freezes it deeply, and would skip an object that is frozen already.
      return { ...answer, record: { ...record, accessToken: { ...record.accessToken, issuer } } };
    },
    close: () => source.close(),
  };
}

/** Chooses the issuer of a token; `undefined`: the token can belong to none of them. */
export type ChooseIssuer = (token: string, named: string | undefined) => Issuer | undefined;

/**
 * Creates the choice among the configured issuers: 1. The issuer that the route names. 2. The issuer that claims the
 * token, by its `iss` for example, and must then verify it. 3. The only issuer of opaque tokens. Otherwise the route
 * must name one.
 *
 * With several issuers, a JWT is never sent to another issuer than its own, which could use it.
 *
 * Throws a `TypeError` with a `code` for an unknown name, and if the route must name an issuer and does not.
 *
 * @example chooseAmong(issuers)(token, "https://as.example.com")
 */
export function chooseAmong(issuers: readonly Issuer[]): ChooseIssuer {
  const byName = new Map(issuers.map((issuer) => [issuer.name, issuer]));
  const marked = issuers.filter(({ claims }) => claims !== undefined);
  const unmarked = issuers.filter(({ claims }) => claims === undefined);
  const [only] = issuers;
  return (token, named) => {
    if (named !== undefined) {
      const issuer = byName.get(named);
      if (issuer === undefined) throw optionError("issuer", "is not an issuer of the resource server");
      return issuers.length === 1 || mayBeOf(issuer, token, readIssOf(token)) ? issuer : undefined;
    }
    if (issuers.length === 1) return only;
    const iss = readIssOf(token);
    const claiming = marked.find(({ claims }) => claims !== undefined && isClaimed(claims, token, iss));
    if (claiming !== undefined) return claiming;
    if (unmarked.length > 1) throw optionError("issuer", "must be named: several issuers have opaque tokens");
    const [rest] = unmarked;
    return rest !== undefined && mayBeOf(rest, token, iss) ? rest : undefined;
  };
}

/** A claim can only exclude an issuer: a token without `iss` may belong to any. */
function mayBeOf({ name, claims }: Issuer, token: string, iss: ReadIss): boolean {
  if (claims !== undefined) return isClaimed(claims, token, iss);
  return iss() === undefined || iss() === name;
}

function readIssOf(token: string): ReadIss {
  let payload: Readonly<Record<string, unknown>> | undefined;
  return () => (payload ??= readCompactJwt(token)?.payload ?? {})["iss"];
}

/** Only `true` is accepted, not a promise, so that a token is not sent to an issuer by mistake. */
function isClaimed(claims: NonNullable<Issuer["claims"]>, token: string, iss: ReadIss): boolean {
  const claimed: unknown = disown(claims(token, iss));
  return claimed === true;
}
