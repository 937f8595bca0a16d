import { isSet } from "../../../oauth/json-object.ts";
import type { IntrospectionRequest, IntrospectionResponse } from "../../../contract/auth-introspection.ts";
import { introspectionRefusals, type RefusedIntrospection } from "../../../contract/introspection-refusals.ts";
import { decideAccess, type RefusalCode, type Requirement } from "../../../oauth/access-token-decision.ts";
import { bearerChallenge } from "../../../oauth/challenge.ts";
import type { StoredAccessToken } from "../../store/store.ts";
import { noteCertificate, noteToken } from "../answer/note-facts.ts";
import { result, type ResultCode } from "../answer/result.ts";
import { readPresentedCertificate } from "../client-authentication/presented-certificate.ts";
import { readGrantDetails } from "../grant/grant-details.ts";
import type { Service } from "../settings/service-and-client.ts";
import type { GrantType } from "../settings/settings.ts";
import { expOf, findAccessToken, type KnownAccessToken, secondsLeftOf } from "./find-access-token.ts";
import type { Context } from "../context.ts";

/** Decides whether a token with a certificate satisfies the API caller's requirement (RFC 6750 §3, RFC 8705 §3). */
export async function introspect(context: Context, request: IntrospectionRequest): Promise<IntrospectionResponse> {
  const { service } = context;
  if (!isSet(request.token)) {
    return {
      ...result("A057301"),
      action: "BAD_REQUEST",
      responseContent: bearerChallenge({ error: "invalid_request" }),
      ...state({ existent: false, usable: false }),
    };
  }
  const known = await findAccessToken(context, request.token);
  const certificate = readPresentedCertificate(request.clientCertificate);
  noteToken(context, known);
  noteCertificate(context, certificate);
  const requirement = requirementOf(request);
  const now = context.clock();
  const decision = decideAccess(known?.facts ?? { active: false, cause: "unknown" }, requirement, certificate, now);
  const refreshability = known === undefined ? "none" : refreshabilityOf(known.token, now);
  if (!decision.granted) {
    const detail = certificate !== undefined && "unreadable" in certificate ? certificate.unreadable : undefined;
    return refusal(service, { code: decision.code, detail, requirement, refreshability }, known);
  }
  return {
    ...result("A056001"),
    action: "OK",
    // For errors that the API finds itself, later on: the token was good (Authlete's API).
    responseContent: bearerChallenge({ error: "invalid_request" }),
    ...state({ existent: true, usable: true, sufficient: true, refreshability }),
    ...(known !== undefined && { ...factsForCaller(service, known), expiresIn: secondsLeftOf(known.token, now) }),
  };
}

/** Members that are not set demand nothing; an unbound token may be used without a certificate. */
function requirementOf({ scopes, subject, resources }: IntrospectionRequest): Requirement {
  return {
    binding: "if-bound",
    ...(scopes !== undefined && scopes !== null && { scopes }),
    ...(isSet(subject) && { subject }),
    ...(resources !== undefined && resources !== null && { resources }),
  };
}

interface Refused {
  readonly code: RefusalCode;
  /** Why the certificate cannot be read. */
  readonly detail: string | undefined;
  readonly requirement: Requirement;
  readonly refreshability: Refreshability;
}

function refusal(
  service: Service,
  { code: refusalCode, detail, requirement, refreshability }: Refused,
  known: KnownAccessToken | undefined,
): IntrospectionResponse {
  const { action, error }: RefusedIntrospection = introspectionRefusals[refusalCode];
  const inForce = known !== undefined && refusalCode !== "token_expired" && refusalCode !== "token_not_yet_valid";
  return {
    ...result(
      resultCodeOf(refusalCode, known, refreshability),
      refusalCode === "certificate_unreadable" ? detail : undefined,
    ),
    action,
    responseContent: bearerChallenge({
      error,
      ...(!service.settings.errorDescriptionOmitted && { error_description: descriptions[error] }),
      ...(error === "insufficient_scope" && { scope: requirement.scopes }),
    }),
    ...state({ existent: known !== undefined, usable: inForce && known.facts.active, refreshability }),
    ...(known !== undefined && factsForCaller(service, known)),
  };
}

/** One text an error, whatever the cause: the caller of the API learns nothing that helps to guess. */
const descriptions = {
  invalid_token: "The access token is not valid for this request.",
  insufficient_scope: "The request needs scopes that the access token does not have.",
  invalid_request: "The access token is not for this request.",
} satisfies Record<RefusedIntrospection["error"], string>;

function resultCodeOf(
  refusalCode: RefusalCode,
  known: KnownAccessToken | undefined,
  refreshability: Refreshability,
): ResultCode {
  if (refusalCode === "scope_insufficient" && known?.token.scopes.length === 0) {
    const [, noScopes] = introspectionRefusals.scope_insufficient.resultCodes;
    return noScopes;
  }
  if (refusalCode === "token_expired") {
    const [none, refreshable, expired] = introspectionRefusals.token_expired.resultCodes;
    return { none, refreshable, "refresh-token-expired": expired }[refreshability];
  }
  const [usual] = introspectionRefusals[refusalCode].resultCodes;
  return usual;
}

interface TokenState {
  readonly existent: boolean;
  readonly usable: boolean;
  readonly sufficient?: boolean;
  readonly refreshability?: Refreshability;
}

function state({ existent, usable, sufficient = false, refreshability = "none" }: TokenState) {
  return { existent, usable, sufficient, refreshable: refreshability === "refreshable" };
}

/** The members that describe the token, for the authenticated API caller. */
function factsForCaller(service: Service, { token, client }: KnownAccessToken) {
  const scopeDetails = service.settings.supportedScopes.filter((scope) => token.scopes.includes(scope.name));
  const alias = client.settings.clientIdAlias;
  const { acr, authTime, consentedClaims } = readGrantDetails(token.details);
  return {
    clientId: token.clientId,
    ...(alias !== undefined && { clientIdAlias: alias }),
    clientIdAliasUsed: token.clientIdAliasUsed,
    ...(token.subject !== undefined && { subject: token.subject }),
    ...(token.scopes.length !== 0 && { scopes: [...token.scopes] }),
    ...(scopeDetails.length !== 0 && { scopeDetails }),
    expiresAt: expOf(token) * 1000,
    ...(token.properties !== undefined && { properties: [...token.properties] }),
    ...(token.x5tS256 !== undefined && { certificateThumbprint: token.x5tS256 }),
    ...(token.resources.length !== 0 && { accessTokenResources: [...token.resources] }),
    ...(service.settings.attributes.length !== 0 && { serviceAttributes: [...service.settings.attributes] }),
    ...(client.settings.attributes.length !== 0 && { clientAttributes: [...client.settings.attributes] }),
    grantType: token.grantType as GrantType,
    ...(acr !== undefined && { acr }),
    ...(authTime !== undefined && { authTime }),
    ...(consentedClaims !== undefined && { consentedClaims: [...consentedClaims] }),
  };
}

/** Whether the grant's refresh token can give another access token, or could before it expired. */
type Refreshability = "refreshable" | "refresh-token-expired" | "none";

/** `now` is in milliseconds since 1970. */
function refreshabilityOf({ refreshTokenExpiresAt }: StoredAccessToken, now: number): Refreshability {
  if (refreshTokenExpiresAt === undefined) return "none";
  return now < refreshTokenExpiresAt ? "refreshable" : "refresh-token-expired";
}
