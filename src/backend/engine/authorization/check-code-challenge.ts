import { isCodeChallenge } from "../../../oauth/code-challenge.ts";
import type { Form } from "../../../oauth/form.ts";
import type { Client, Service } from "../management/settings-memo.ts";
import type { ResultCode } from "../result.ts";

/**
 * Whether a code of this client must be bound to a challenge: always for a public one, which proves nothing else of
 * itself (RFC 9700 §2.1.1).
 */
export function requiresCodeChallenge(service: Service, { settings }: Client): boolean {
  return settings.clientType === "PUBLIC" || settings.pkceRequired || service.settings.pkceRequired;
}

/** Why the request's PKCE parameters will not do (RFC 7636 §4.4.1); S256 only, and it has to be said. */
export function codeChallengeDefect(service: Service, client: Client, form: Form): ResultCode | undefined {
  const challenge = form.get("code_challenge");
  const method = form.get("code_challenge_method");
  if (challenge === undefined) {
    return method !== undefined || requiresCodeChallenge(service, client) ? "A124301" : undefined;
  }
  if (method === undefined) return "A124307";
  if (method === "plain") return "A124308";
  if (method !== "S256") return "A124306";
  return isCodeChallenge(challenge) ? undefined : "A124304";
}
