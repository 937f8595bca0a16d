import type { IntrospectionRequest, IntrospectionResponse } from "../../../contract/auth-introspection.ts";
import type { Property } from "../../../contract/members.ts";
import { decideAccess, type RefusalCode, type Requirement } from "../../../oauth/access-token-decision.ts";
import { bearerChallenge } from "../../../oauth/challenge.ts";
import { formatScope } from "../../../oauth/scope.ts";
import type { StoredAccessToken } from "../../store/store.ts";
import { noteCertificate, noteToken } from "../answer/note-facts.ts";
import { result, type ResultCode } from "../answer/result.ts";
import { readPresentedCertificate } from "../client-authentication/presented-certificate.ts";
import type { Dependencies } from "../dependencies.ts";
import { readGrantDetails } from "../grant/grant-details.ts";
import type { Service, Settings } from "../settings/service-and-client.ts";
import type { GrantType } from "../settings/settings.ts";
import { expOf, findAccessToken, type KnownAccessToken, secondsLeftOf } from "./find-access-token.ts";

interface RefusalAnswer {
  readonly code: ResultCode;
  readonly action: "UNAUTHORIZED" | "FORBIDDEN";
  readonly error: "invalid_token" | "insufficient_scope" | "invalid_request";
}

const invalidToken = (code: ResultCode): RefusalAnswer => ({ code, action: "UNAUTHORIZED", error: "invalid_token" });

/** What each refusal of the decision becomes in this API (Authlete's API, RFC 6750 §3.1). */
const answers = {
  token_unknown: invalidToken("A057302"),
  client_locked: invalidToken("A097303"),
  token_expired: invalidToken("A065303"),
  token_not_yet_valid: invalidToken("A057302"),
  certificate_unreadable: invalidToken("A065307"),
  confirmation_malformed: invalidToken("A065306"),
  confirmation_unsupported: invalidToken("A065306"),
  certificate_missing: invalidToken("A065304"),
  certificate_mismatch: invalidToken("A065305"),
  token_unbound: invalidToken("A065306"),
  audience_mismatch: invalidToken("A064303"),
  subject_missing: { code: "A066301", action: "FORBIDDEN", error: "invalid_request" },
  subject_mismatch: { code: "A066302", action: "FORBIDDEN", error: "invalid_request" },
  scope_insufficient: { code: "A064302", action: "FORBIDDEN", error: "insufficient_scope" },
} satisfies Record<RefusalCode, RefusalAnswer>;

/** Decides whether a token, presented with a certificate, opens what the API caller describes (RFC 6750 §3, RFC 8705 §3). */
export async function introspect(
  dependencies: Dependencies,
  settings: Settings,
  service: Service,
  request: IntrospectionRequest,
): Promise<IntrospectionResponse> {
  if (request.token === undefined || request.token === null || request.token === "") {
    return {
      ...result("A057301"),
      action: "BAD_REQUEST",
      responseContent: bearerChallenge({ error: "invalid_request" }),
      ...state({ existent: false, usable: false }),
    };
  }
  const known = await findAccessToken(dependencies, settings, service, request.token);
  const certificate = readPresentedCertificate(request.clientCertificate);
  noteToken(dependencies, known);
  noteCertificate(dependencies, certificate);
  const requirement = requirementOf(request);
  const now = dependencies.clock();
  const decision = decideAccess(known?.facts ?? { active: false, cause: "unknown" }, requirement, certificate, now);
  const refreshability = known === undefined ? "none" : refreshabilityOf(known.token, now);
  if (!decision.granted) return refusal(service, decision.code, requirement, known, refreshability);
  return {
    ...result("A056001"),
    action: "OK",
    // For errors that the API finds itself, later on: the token was good (Authlete's API).
    responseContent: bearerChallenge({ error: "invalid_request" }),
    ...state({ existent: true, usable: true, sufficient: true, refreshability }),
    ...(known === undefined ? {} : { ...factsForCaller(service, known), expiresIn: secondsLeftOf(known.token, now) }),
  };
}

/** Members that are not set demand nothing; an unbound token may be used without a certificate. */
function requirementOf({ scopes, subject, resources }: IntrospectionRequest): Requirement {
  return {
    binding: "if-bound",
    ...(scopes === undefined || scopes === null ? {} : { scopes }),
    ...(subject === undefined || subject === null || subject === "" ? {} : { subject }),
    ...(resources === undefined || resources === null ? {} : { resources }),
  };
}

function refusal(
  service: Service,
  refusalCode: RefusalCode,
  requirement: Requirement,
  known: KnownAccessToken | undefined,
  refreshability: Refreshability,
): IntrospectionResponse {
  const answer: RefusalAnswer = answers[refusalCode];
  const inForce = known !== undefined && refusalCode !== "token_expired" && refusalCode !== "token_not_yet_valid";
  return {
    ...result(resultCodeOf(refusalCode, known, refreshability)),
    action: answer.action,
    responseContent: bearerChallenge({
      error: answer.error,
      ...(service.settings.errorDescriptionOmitted ? {} : { error_description: descriptions[answer.error] }),
      ...(answer.error === "insufficient_scope" ? { scope: formatScope(requirement.scopes ?? []) } : {}),
    }),
    ...state({ existent: known !== undefined, usable: inForce && known.facts.active, refreshability }),
    ...(known === undefined ? {} : factsForCaller(service, known)),
  };
}

/** One text an error, whatever the cause: the caller of the API learns nothing that helps to guess. */
const descriptions = {
  invalid_token: "The access token is not valid for this request.",
  insufficient_scope: "The request needs scopes that the access token does not have.",
  invalid_request: "The access token is not for this request.",
} satisfies Record<RefusalAnswer["error"], string>;

function resultCodeOf(
  refusalCode: RefusalCode,
  known: KnownAccessToken | undefined,
  refreshability: Refreshability,
): ResultCode {
  if (refusalCode === "scope_insufficient" && known?.token.scopes.length === 0) return "A064301";
  return refusalCode === "token_expired" ? expired[refreshability] : answers[refusalCode].code;
}

const expired = {
  refreshable: "A065301",
  "refresh-token-expired": "A065302",
  none: "A065303",
} satisfies Record<Refreshability, ResultCode>;

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
    ...(alias === undefined ? {} : { clientIdAlias: alias }),
    clientIdAliasUsed: token.clientIdAliasUsed,
    ...(token.subject === undefined ? {} : { subject: token.subject }),
    ...(token.scopes.length === 0 ? {} : { scopes: [...token.scopes] }),
    ...(scopeDetails.length === 0 ? {} : { scopeDetails }),
    expiresAt: expOf(token) * 1000,
    ...(token.properties === undefined ? {} : { properties: JSON.parse(token.properties) as Property[] }),
    ...(token.x5tS256 === undefined ? {} : { certificateThumbprint: token.x5tS256 }),
    ...(token.resources.length === 0 ? {} : { accessTokenResources: [...token.resources] }),
    ...(service.settings.attributes.length === 0 ? {} : { serviceAttributes: [...service.settings.attributes] }),
    ...(client.settings.attributes.length === 0 ? {} : { clientAttributes: [...client.settings.attributes] }),
    grantType: token.grantType as GrantType,
    ...(acr === undefined ? {} : { acr }),
    ...(authTime === undefined ? {} : { authTime }),
    ...(consentedClaims === undefined ? {} : { consentedClaims: [...consentedClaims] }),
  };
}

/** Whether another access token can be had with the refresh token of this one's grant, or could have been once. */
export type Refreshability = "refreshable" | "refresh-token-expired" | "none";

/** `now` is in milliseconds since 1970. */
export function refreshabilityOf({ refreshTokenExpiresAt }: StoredAccessToken, now: number): Refreshability {
  if (refreshTokenExpiresAt === undefined) return "none";
  return now < refreshTokenExpiresAt ? "refreshable" : "refresh-token-expired";
}
