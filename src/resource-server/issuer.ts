import { optionError } from "../api-client/option-error.ts";
import type { Rememberable } from "./answer-memory.ts";
import { createBindingWatch } from "./binding-watch.ts";
import type { Decide, DecisionParts } from "./decide.ts";
import { decideAtBackend } from "./decide-at-backend.ts";
import { decideInLibrary } from "./decide-in-library.ts";
import type { ResolvedIssuer } from "./issuer-options.ts";
import { noCoverage } from "./freshness.ts";
import type { ReadsAnswers } from "./live-tokens.ts";
import { createQuestionTurns } from "./question-turns.ts";
import { createRememberedAnswers, type RememberedAnswers } from "./remembered-answers.ts";
import type { Clocks, Warning } from "./resource-server-options.ts";
import { type Schedule, systemSchedule } from "./schedule.ts";
import { createStreamFollower, type StreamFollower } from "./stream-follower.ts";

/** One issuer of tokens, with a memory of its own. */
export interface Issuer {
  readonly name: string | undefined;
  readonly claims: ((token: string) => boolean) | undefined;
  readonly decide: Decide;
  close(): Promise<void>;
}

/** What an issuer is handed besides its options. */
export interface IssuerParts extends Omit<DecisionParts, "remembered" | "watch">, Clocks {
  readonly warn: (warning: Warning) => void;
  /** Default: the process's timers. */
  readonly schedule?: Schedule | undefined;
}

/** Opens what stands between a resource server and one issuer. */
export function openIssuer(resolved: ResolvedIssuer, parts: IssuerParts): Issuer {
  const { name, source, decidingBackend, limits, patience } = resolved;
  const { clock, monotonicClock, warn, schedule = systemSchedule } = parts;
  const turns = createQuestionTurns(resolved.turns);
  const memories: Pick<RememberedAnswers<never>, "void" | "voidAll" | "close">[] = [];
  const stream = followStream(resolved, { ...parts, schedule }, memories);
  const all: DecisionParts = {
    ...parts,
    watch: createBindingWatch({ issuer: name, warn, clock, monotonicClock }),
    remembered<Answer extends Rememberable>(reads: ReadsAnswers<Answer>) {
      const answers = createRememberedAnswers<Answer>({
        ...reads,
        limits,
        maxWatched: limits.maxWatched,
        patience,
        turns,
        coverage: stream?.coverage ?? noCoverage,
        onQuestion: () => stream?.start(),
        clock,
        monotonicClock,
        schedule,
      });
      memories.push(answers);
      return answers;
    },
  };
  return {
    name,
    claims: source.claims?.bind(source),
    decide: decidingBackend === undefined ? decideInLibrary(source, all) : decideAtBackend(decidingBackend, all),
    async close() {
      stream?.close();
      for (const memory of memories) memory.close();
      await source.close();
    },
  };
}

/** The source's stream, where it has one and it is wanted; what it makes void is void in these memories. */
function followStream(
  { name, source, decidingBackend, limits }: ResolvedIssuer,
  { warn, monotonicClock, schedule }: IssuerParts & { readonly schedule: Schedule },
  memories: readonly Pick<RememberedAnswers<never>, "void" | "voidAll">[],
): StreamFollower | undefined {
  const open = source.events?.bind(source);
  // What a backend has decided itself rests on no keys, and what is not remembered cannot become void.
  if (open === undefined || decidingBackend !== undefined || !limits.push || limits.ttl === 0) return undefined;
  return createStreamFollower({
    open,
    lease: limits.lease,
    monotonicClock,
    schedule,
    onInvalidation: (keys) => {
      for (const memory of memories) memory.void(keys);
    },
    onLoss: () => {
      for (const memory of memories) memory.voidAll();
    },
    onRefused: (status) => {
      warn({
        code: "CERTBOUND_NO_PUSH",
        message:
          `The stream of invalidation events${name === undefined ? "" : ` of ${name}`} is refused (HTTP ${status}): ` +
          `a revocation is noticed within cache.ttl (${limits.ttl / 1000} s). Allow it, or set cache.push to false.`,
      });
    },
  });
}

/** Which issuer is asked about a token; `undefined`: none of them can be the token's. */
export type ChooseIssuer = (token: string, named: string | undefined) => Issuer | undefined;

/**
 * Tells issuers apart by configuration: the one that the route names; else the one whose sign the token bears, which
 * that issuer then has to prove; else the only one whose tokens bear none. What no rule decides is a wrong program.
 *
 * Throws a `TypeError` with a `code` for a name that there is not, and when the route has to name one and does not.
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
      if (issuer === undefined) throw optionError("issuer", "is none of the resource server's");
      return issuer;
    }
    if (issuers.length === 1) return only;
    const claiming = marked.find(({ claims }) => claims?.(token) === true);
    if (claiming !== undefined) return claiming;
    if (unmarked.length > 1)
      throw optionError("issuer", "must be named: several issuers have tokens that bear no sign");
    return unmarked[0];
  };
}
