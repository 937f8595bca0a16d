import type { Context } from "../context.ts";
import type { UserInfoRequest, UserInfoResponse } from "../../../contract/auth-userinfo.ts";
import { scopeClaims } from "../../../oauth/openid-parameters.ts";
import { readPresentedCertificate } from "../client-authentication/presented-certificate.ts";
import { readGrantDetails, type GrantDetails } from "../grant/grant-details.ts";
import { findAccessToken, type KnownAccessToken } from "../introspection/find-access-token.ts";
import type { Service } from "../settings/service-and-client.ts";
import { noteCertificate, noteToken } from "../answer/note-facts.ts";
import { result } from "../answer/result.ts";
import { openUserInfo, userInfoRefusal, type UserInfoCodes } from "./userinfo-token.ts";

const codes: UserInfoCodes = {
  token_missing: "A088301",
  token_unknown: "A088302",
  token_not_yet_valid: "A088302",
  client_locked: "A097303",
  token_expired: "A089303",
  scope_insufficient: "A089304",
  subject_missing: "A089305",
  subject_mismatch: "A089305",
  password_grant: "A089306",
  certificate_missing: "A089307",
  certificate_unreadable: "A089308",
  confirmation_malformed: "A089309",
  confirmation_unsupported: "A089309",
  token_unbound: "A089309",
  audience_mismatch: "A089309",
  certificate_mismatch: "A089310",
};

/**
 * Decides over a userinfo request (OpenID Connect Core §5.3.1), with the same binding rule as any protected resource.
 */
export async function processUserInfoRequest(context: Context, request: UserInfoRequest): Promise<UserInfoResponse> {
  const { service } = context;
  const token = request.token ?? "";
  if (token === "") return userInfoRefusal(service, codes, "token_missing");
  const found = await findAccessToken(context, token);
  const certificate = readPresentedCertificate(request.clientCertificate);
  noteToken(context, found);
  noteCertificate(context, certificate);
  const opened = openUserInfo(context, codes, found, certificate);
  if ("error" in opened) return opened.error;
  return {
    ...result("A091001"),
    action: "OK",
    token,
    subject: opened.subject,
    ...factsForCaller(service, opened.known),
  };
}

function factsForCaller(service: Service, { token, client }: KnownAccessToken) {
  const details = readGrantDetails(token.details);
  const { clientIdAlias, attributes } = client.settings;
  const { userInfoClaims, consentedClaims } = details;
  const claims = claimsAskedFor(details, token.scopes);
  return {
    scopes: [...token.scopes],
    ...(claims.length !== 0 && { claims }),
    ...(userInfoClaims !== undefined && { userInfoClaims }),
    ...(consentedClaims !== undefined && { consentedClaims: [...consentedClaims] }),
    clientId: token.clientId,
    ...(clientIdAlias !== undefined && { clientIdAlias }),
    clientIdAliasUsed: token.clientIdAliasUsed,
    ...(token.properties !== undefined && { properties: [...token.properties] }),
    ...(service.settings.attributes.length !== 0 && { serviceAttributes: [...service.settings.attributes] }),
    ...(attributes.length !== 0 && { clientAttributes: [...attributes] }),
  };
}

const ofAnyScope = new Set(scopeClaims(["profile", "email", "address", "phone"]));

/** The claims of this token's scopes, which a refresh may have narrowed, and those requested by name. */
function claimsAskedFor({ claimsAtUserInfo = [], userInfoClaims }: GrantDetails, scopes: readonly string[]): string[] {
  const byName = Object.keys(userInfoClaims === undefined ? {} : (JSON.parse(userInfoClaims) as object));
  const others = claimsAtUserInfo.filter((name) => !ofAnyScope.has(name));
  return [...new Set([...scopeClaims(scopes), ...byName, ...others])];
}
