import { isSet, setText } from "../../../oauth/json-object.ts";
import type { AuthorizationIssueRequest } from "../../../contract/auth-authorization-issue.ts";
import type { ResultCode } from "../answer/result.ts";
import type { GrantDetails, IdTokenDetails } from "../grant/grant-details.ts";
import type { Client, Service } from "../settings/service-and-client.ts";
import { subjectDefect, type SubjectDefect } from "../settings/subject.ts";
import { grantScopes } from "../grant/scopes.ts";
import { type CallerDefect, readClaimsOfCaller, readHeaderParams, readJwtClaims } from "../grant/caller-json.ts";
import { claimsAtUserInfo } from "./requested-scopes.ts";
import type { TicketRequest } from "./ticket-request.ts";
import type { Context } from "../context.ts";

/** What the API caller says about the user, checked. */
export interface IssueDecision {
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly details: GrantDetails;
}

const longestAcr = 255;
/** Octets of all properties together, as JSON. */
const mostProperties = 65_535;

const subjectCodes = {
  empty: "A042201",
  "too-long": "A042202",
  "non-ascii": "A042203",
  client: "A042204",
} as const satisfies Record<SubjectDefect, ResultCode>;

/** Reads an issue request against what its ticket asks for; whatever is wrong here is the API caller's fault. */
export async function readIssueRequest(
  context: Context,
  client: Client,
  asked: TicketRequest,
  request: AuthorizationIssueRequest,
): Promise<IssueDecision | CallerDefect> {
  const { service } = context;
  const subject = await readSubjects(context, asked, request);
  if ("error" in subject) return subject;
  const scopes = readScopes(service, client, asked, request.scopes ?? []);
  if ("error" in scopes) return scopes;
  const defect = authenticationDefect(asked, request);
  if (defect !== undefined) return { error: defect };
  const properties = request.properties ?? [];
  if (Buffer.byteLength(JSON.stringify(properties)) > mostProperties) return { error: "A045201" };
  const claims = readClaimsOfCaller(request.claims);
  if ("error" in claims) return claims;
  const headerParams = readHeaderParams(request.idtHeaderParams);
  if ("error" in headerParams) return headerParams;
  const jwtAtClaims = readJwtClaims(request.jwtAtClaims);
  if ("error" in jwtAtClaims) return jwtAtClaims;

  const openId = scopes.scopes.includes("openid");
  const { authentication } = asked;
  const idToken: IdTokenDetails = {
    ...given("nonce", authentication.nonce),
    ...given("sub", subject.sub),
    ...given("claims", claims.members),
    ...given("headerParams", headerParams.members),
    ...given("audType", request.idTokenAudType),
  };
  const userInfoNames = openId ? claimsAtUserInfo(service, scopes.scopes, authentication.userInfoClaimNames) : [];
  return {
    subject: subject.subject,
    scopes: scopes.scopes,
    details: {
      ...given("acr", request.acr),
      ...given("authTime", request.authTime),
      ...(properties.length !== 0 && { properties }),
      ...given("jwtAtClaims", jwtAtClaims.members),
      ...(openId && { idToken }),
      ...(openId && given("userInfoClaims", authentication.userInfoClaims)),
      ...(userInfoNames.length !== 0 && { claimsAtUserInfo: userInfoNames }),
      ...given("consentedClaims", request.consentedClaims),
    },
  };
}

interface Subjects {
  readonly subject: string;
  readonly sub: string | undefined;
}

async function readSubjects(
  { settings, service }: Context,
  { authentication }: TicketRequest,
  request: AuthorizationIssueRequest,
): Promise<Subjects | CallerDefect> {
  const { subject } = request;
  const defect = await subjectDefect(settings, service, subject);
  if (defect !== undefined || typeof subject !== "string") return { error: subjectCodes[defect ?? "empty"] };
  const sub = setText(request.sub);
  const subDefect = sub === undefined ? undefined : await subjectDefect(settings, service, sub);
  if (subDefect !== undefined) return { error: subjectCodes[subDefect], detail: "sub" };
  // The client knows the user by the subject of the ID token.
  if (authentication.subject !== undefined && authentication.subject !== (sub ?? subject)) {
    return { error: "A042205" };
  }
  return { subject, sub };
}

/** Every scope must be available: the caller would not notice that a granted scope was dropped. */
function readScopes(
  service: Service,
  client: Client,
  asked: TicketRequest,
  requested: readonly string[],
): { readonly scopes: readonly string[] } | CallerDefect {
  if (requested.length === 0) return { scopes: asked.scopes };
  const scopes = [...new Set(requested)];
  const granted = grantScopes(service, client, scopes.join(" "));
  const all = !("error" in granted) && scopes.every((scope) => granted.scopes.includes(scope));
  return all ? { scopes } : { error: "A040202" };
}

function authenticationDefect(
  { authentication }: TicketRequest,
  { acr, authTime }: AuthorizationIssueRequest,
): ResultCode | undefined {
  const { maxAge, authTimeEssential, acrs, acrEssential } = authentication;
  const timed = maxAge !== undefined || authTimeEssential;
  if (timed && !isSet(authTime)) return "A040201";
  if (acr !== undefined && acr !== null && acr.length > longestAcr) return "A043201";
  if (!acrEssential) return undefined;
  if (!isSet(acr)) return "A043202";
  return acrs.length === 0 || acrs.includes(acr) ? undefined : "A043202";
}

/** A member that is left out when it is unset. */
function given<Name extends string, Value>(name: Name, value: Value): Partial<Record<Name, NonNullable<Value>>> {
  return isSet(value) ? ({ [name]: value } as Record<Name, NonNullable<Value>>) : {};
}
