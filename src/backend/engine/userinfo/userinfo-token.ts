import {
  decideAccess,
  type PresentedCertificate,
  type RefusalCode,
  type TokenFacts,
} from "../../../oauth/access-token-decision.ts";
import { bearerChallenge } from "../../../oauth/challenge.ts";
import type { KnownAccessToken } from "../introspection/find-access-token.ts";
import type { Context } from "../context.ts";
import type { Service } from "../settings/service-and-client.ts";
import { result, type ResultCode } from "../answer/result.ts";

/** Why a token does not open the userinfo endpoint. */
export type UserInfoRefusal = RefusalCode | "token_missing" | "password_grant";

/** The code of each refusal; the two operations of the endpoint have their own. */
export type UserInfoCodes = Readonly<Record<UserInfoRefusal, ResultCode>>;

/** A token that is accepted at the endpoint, and its subject. */
export type OpenedUserInfo =
  | { readonly known: KnownAccessToken; readonly subject: string }
  | { readonly error: ReturnType<typeof userInfoRefusal> };

const unknown: TokenFacts = Object.freeze({ active: false, cause: "unknown" });

/**
 * Decides whether a token opens the userinfo endpoint (OpenID Connect Core §5.3.1, RFC 8705 §3): it is good for the
 * scope `openid`, it has a user, and that user did not leave a password with the client to get it.
 */
export function openUserInfo(
  { service, clock }: Context,
  codes: UserInfoCodes,
  known: KnownAccessToken | undefined,
  certificate: PresentedCertificate,
): OpenedUserInfo {
  const requirement = { scopes: ["openid"], binding: "if-bound" } as const;
  const decision = decideAccess(known?.facts ?? unknown, requirement, certificate, clock());
  if (!decision.granted) return { error: userInfoRefusal(service, codes, decision.code) };
  const subject = known?.token.subject;
  if (known === undefined || subject === undefined) {
    return { error: userInfoRefusal(service, codes, "subject_missing") };
  }
  if (known.token.grantType === "PASSWORD") return { error: userInfoRefusal(service, codes, "password_grant") };
  return { known, subject };
}

/** The endpoint's refusals (RFC 6750 §3.1): one text for each error, whatever the cause. */
export function userInfoRefusal(service: Service, codes: UserInfoCodes, refusal: UserInfoRefusal) {
  const { action, error, description } = answers[kindOf(refusal)];
  return {
    ...result(codes[refusal]),
    action,
    responseContent: bearerChallenge({
      error,
      ...(!service.settings.errorDescriptionOmitted && { error_description: description }),
      ...(error === "insufficient_scope" && { scope: ["openid"] }),
    }),
  };
}

function kindOf(refusal: UserInfoRefusal): keyof typeof answers {
  if (refusal === "token_missing") return "missing";
  return refusal === "scope_insufficient" ? "insufficient" : "invalid";
}

const answers = {
  missing: { action: "BAD_REQUEST", error: "invalid_request", description: "The request has no access token." },
  insufficient: {
    action: "FORBIDDEN",
    error: "insufficient_scope",
    description: "The request needs scopes that the access token does not have.",
  },
  invalid: {
    action: "UNAUTHORIZED",
    error: "invalid_token",
    description: "The access token is not valid for this request.",
  },
} as const;
