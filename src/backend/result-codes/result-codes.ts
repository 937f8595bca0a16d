import type { Advice } from "./advice.ts";
import { apiCallerAdvice } from "./advice/api-caller.ts";
import { authorizationAdvice } from "./advice/authorization.ts";
import { clientAuthenticationAdvice } from "./advice/client-authentication.ts";
import { discoveryAdvice } from "./advice/discovery.ts";
import { httpAdvice } from "./advice/http.ts";
import { introspectionAdvice } from "./advice/introspection.ts";
import { managementAdvice } from "./advice/management.ts";
import { revocationAdvice } from "./advice/revocation.ts";
import { tokenAdvice } from "./advice/token.ts";
import { userinfoAdvice } from "./advice/userinfo.ts";
import { apiCallerSentences } from "./api-caller.ts";
import { authorizationSentences } from "./authorization.ts";
import { clientAuthenticationSentences } from "./client-authentication.ts";
import { discoverySentences } from "./discovery.ts";
import { httpSentences } from "./http.ts";
import { introspectionSentences } from "./introspection.ts";
import { managementSentences } from "./management.ts";
import { revocationSentences } from "./revocation.ts";
import { tokenSentences } from "./token.ts";
import { userinfoSentences } from "./userinfo.ts";

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
