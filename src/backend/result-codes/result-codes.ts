import { type Advice, type CallLevel, levels } from "./advice.ts";
import {
  apiCallerAdvice,
  apiCallerSentences,
  discoveryAdvice,
  discoverySentences,
  httpAdvice,
  httpSentences,
} from "./api-caller.ts";
import { authorizationAdvice, authorizationSentences } from "./authorization.ts";
import { clientAuthenticationAdvice, clientAuthenticationSentences } from "./client-authentication.ts";
import { introspectionAdvice, introspectionSentences } from "./introspection.ts";
import { managementAdvice, managementSentences } from "./management.ts";
import { revocationAdvice, revocationSentences } from "./revocation.ts";
import { tokenAdvice, tokenSentences } from "./token.ts";
import { userinfoAdvice, userinfoSentences } from "./userinfo.ts";

/** The result codes that the engine answers with, each with its sentence for people (Authlete's API). */
export const engineSentences = {
  ...apiCallerSentences,
  ...authorizationSentences,
  ...clientAuthenticationSentences,
  ...discoverySentences,
  ...introspectionSentences,
  ...managementSentences,
  ...revocationSentences,
  ...tokenSentences,
  ...userinfoSentences,
} as const;

/** Every result code of the backend with its sentence; those of the HTTP layer are answered with a more exact one. */
export const sentences = { ...engineSentences, ...httpSentences } as const;

/** What each result code means to the operator, and what to do; a code without advice does not compile. */
export const advice: Readonly<Record<keyof typeof sentences, Advice>> = {
  ...apiCallerAdvice,
  ...authorizationAdvice,
  ...clientAuthenticationAdvice,
  ...discoveryAdvice,
  ...httpAdvice,
  ...introspectionAdvice,
  ...managementAdvice,
  ...revocationAdvice,
  ...tokenAdvice,
  ...userinfoAdvice,
};

const known: ReadonlyMap<string, CallLevel> = new Map(
  Object.entries(advice).map(([code, { kind }]) => [code, levels[kind]]),
);

/**
 * The level of the log line of a call with this result code; `info` for an answer without one.
 *
 * @example levelOfResult("A157305") // "warn"
 */
export function levelOfResult(resultCode: string | undefined): CallLevel {
  return (resultCode === undefined ? undefined : known.get(resultCode)) ?? "info";
}
