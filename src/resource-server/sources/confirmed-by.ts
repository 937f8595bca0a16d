import { bothConfirmations } from "../../oauth/confirmation.ts";
import { freezeDeeply } from "../decision/access-token.ts";
import { IntrospectionMalformed } from "../refusal/introspection-unavailable.ts";
import type { FactsAnswer } from "./facts-source.ts";
import type { ActiveRecord } from "./introspection-answer.ts";

/**
 * What holds of a token of which its own text and its issuer's introspection both speak: the answer's facts, as far as
 * the token does not say something stricter.
 *
 * An answer that is not active stands as it is. Throws {@link IntrospectionMalformed} when they speak of different
 * issuers, subjects or clients: it is then not known whose token it is.
 *
 * @example confirmedBy(record, await introspection.ask(token, { signal }))
 */
export function confirmedBy(local: ActiveRecord, answer: FactsAnswer): FactsAnswer {
  const { record } = answer;
  if (!("accessToken" in record)) return answer;
  for (const name of ["issuer", "sub", "clientId"] as const) {
    const [said, answered] = [local.accessToken[name], record.accessToken[name]];
    if (said !== undefined && answered !== undefined && said !== answered) {
      throw new IntrospectionMalformed(`it contradicts the token: ${name}`);
    }
  }
  const confirmation = bothConfirmations(local.facts.confirmation, record.facts.confirmation);
  const common = {
    exp: least(local.facts.exp, record.facts.exp),
    nbf: most(local.facts.nbf, record.facts.nbf),
    sub: record.facts.sub ?? local.facts.sub,
    // An answer without `aud` leaves the token's own; one with it may have narrowed it.
    audience: record.facts.audience.length > 0 ? record.facts.audience : local.facts.audience,
  };
  const { accessToken } = record;
  return {
    ...answer,
    record: freezeDeeply({
      ...record,
      facts: { ...record.facts, ...common, confirmation },
      accessToken: {
        ...accessToken,
        ...common,
        issuer: accessToken.issuer ?? local.accessToken.issuer,
        clientId: accessToken.clientId ?? local.accessToken.clientId,
        iat: accessToken.iat ?? local.accessToken.iat,
        exp: least(local.accessToken.exp, accessToken.exp),
        nbf: most(local.accessToken.nbf, accessToken.nbf),
        x5tS256: confirmation.kind === "certificate" ? confirmation.x5tS256 : undefined,
      },
    }),
  };
}

function least(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

function most(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}
