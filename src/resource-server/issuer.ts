import { optionError } from "../api-client/option-error.ts";
import { readCompactJwt } from "../oauth/compact-jwt.ts";
import type { Rememberable } from "./answer-memory.ts";
import { createBindingWatch } from "./binding-watch.ts";
import type { Decide, DecisionParts } from "./decide.ts";
import { decideAtBackend } from "./decide-at-backend.ts";
import { decideInLibrary } from "./decide-in-library.ts";
import type { ResolvedIssuer } from "./issuer-options.ts";
import { createRememberedAnswers } from "./remembered-answers.ts";
import type { FactsSource } from "./facts-source.ts";
import { IntrospectionMalformed } from "./introspection-malformed.ts";
import type { Clocks, Warning } from "./resource-server-options.ts";

/** One issuer of tokens, with a memory of its own. */
export interface Issuer {
  readonly name: string | undefined;
  readonly claims: ((token: string) => boolean) | undefined;
  readonly decide: Decide;
  close(): Promise<void>;
}

/** Opens what stands between a resource server and one issuer. */
export function openIssuer(
  { name, source, decidingBackend, limits, patience }: ResolvedIssuer,
  parts: Omit<DecisionParts, "remembered" | "watch"> & Clocks & { readonly warn: (warning: Warning) => void },
): Issuer {
  const endings: (() => void)[] = [];
  const { clock, monotonicClock, warn } = parts;
  const all: DecisionParts = {
    ...parts,
    ...(source.checksAudience === true && { audienceUnchecked: () => undefined }),
    watch: createBindingWatch({ issuer: name, warn, clock, monotonicClock }),
    remembered<Answer extends Rememberable>() {
      const answers = createRememberedAnswers<Answer>({ limits, patience, clock, monotonicClock });
      endings.push(answers.close);
      return answers;
    },
  };
  return {
    name,
    claims: source.claims?.bind(source),
    decide:
      decidingBackend === undefined
        ? decideInLibrary(ofIssuer(source, name), all)
        : decideAtBackend(decidingBackend, all, name),
    async close() {
      for (const end of endings) end();
      await source.close();
    },
  };
}

/**
 * A source whose answers are this issuer's: one that names another is malformed, and one that names none gets the name.
 *
 * @example ofIssuer(source, "https://as.example.com")
 */
export function ofIssuer(source: FactsSource, issuer: string | undefined): FactsSource {
  if (issuer === undefined) return source;
  return {
    issuer,
    events: source.events,
    async ask(token, how) {
      const answer = await source.ask(token, how);
      const { record } = answer;
      if (!("accessToken" in record) || record.accessToken.issuer === issuer) return answer;
      if (record.accessToken.issuer !== undefined) throw new IntrospectionMalformed("its iss is another issuer's");
      const accessToken = Object.freeze({ ...record.accessToken, issuer });
      return { ...answer, record: Object.freeze({ ...record, accessToken }) };
    },
    close: () => source.close(),
  };
}

/** Which issuer is asked about a token; `undefined`: none of them can be the token's. */
export type ChooseIssuer = (token: string, named: string | undefined) => Issuer | undefined;

/**
 * Tells issuers apart by configuration: the one that the route names; else the one whose sign the token bears, which
 * that issuer then has to prove; else the only one whose tokens bear none. What no rule decides is a wrong program.
 *
 * Among several, a JWT that names its issuer is shown to no other one: it could be used there by whoever sees it.
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
      return issuers.length === 1 || mayBeOf(issuer, token) ? issuer : undefined;
    }
    if (issuers.length === 1) return only;
    const claiming = marked.find(({ claims }) => claims?.(token) === true);
    if (claiming !== undefined) return claiming;
    if (unmarked.length > 1)
      throw optionError("issuer", "must be named: several issuers have tokens that bear no sign");
    const [rest] = unmarked;
    return rest !== undefined && mayBeOf(rest, token) ? rest : undefined;
  };
}

/** A claim can only exclude: what bears no issuer's name may be anybody's. */
function mayBeOf({ name, claims }: Issuer, token: string): boolean {
  if (claims !== undefined) return claims(token);
  const iss = readCompactJwt(token)?.payload["iss"];
  return iss === undefined || iss === name;
}
