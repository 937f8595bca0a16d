import { apiCallerSentences } from "./result-codes/api-caller.ts";
import { authorizationSentences } from "./result-codes/authorization.ts";
import { clientAuthenticationSentences } from "./result-codes/client-authentication.ts";
import { discoverySentences } from "./result-codes/discovery.ts";
import { introspectionSentences } from "./result-codes/introspection.ts";
import { managementSentences } from "./result-codes/management.ts";
import { revocationSentences } from "./result-codes/revocation.ts";
import { tokenSentences } from "./result-codes/token.ts";
import { userinfoSentences } from "./result-codes/userinfo.ts";

/**
 * The result codes that the engine answers with, each with its sentence for people (Authlete's API).
 *
 * The code tells the API caller exactly what happened; what the OAuth client is told is decided elsewhere and says less.
 */
const sentences = {
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

export type ResultCode = keyof typeof sentences;

/** `detail` continues the sentence, for the API caller's operator: never a token, a secret or a certificate. */
export function result(code: ResultCode, detail?: string): { resultCode: string; resultMessage: string } {
  return { resultCode: code, resultMessage: `[${code}] ${sentenceOf(code, detail)}` };
}

/** The sentence of a code, without the bracketed code. */
export function sentenceOf(code: ResultCode, detail?: string): string {
  const sentence = sentences[code];
  return detail === undefined ? sentence : `${sentence.replace(/\.$/, "")} (${detail}).`;
}
