import { isSet, setText } from "../../../oauth/json-object.ts";
import { requiresBinding } from "../../../oauth/certificate-binding.ts";
import type { TokenCreateRequest } from "../../../contract/auth-token-create.ts";
import { isThumbprint } from "../../../oauth/confirmation.ts";
import type { ResultCode } from "../answer/result.ts";
import { findEnabledClient, type NamedClient } from "../settings/find-client.ts";
import type { GrantDetails } from "../grant/grant-details.ts";
import type { Client, Service } from "../settings/service-and-client.ts";
import type { GrantType } from "../settings/settings.ts";
import { subjectDefect, type SubjectDefect } from "../settings/subject.ts";
import { mayRefresh } from "../token/new-refresh-token.ts";
import { addToDetails, readAdditions } from "../grant/request-details.ts";
import { grantResources } from "../grant/resources.ts";
import { hasScopes } from "../grant/scopes.ts";
import type { Context } from "../context.ts";

/** The token that a caller asks for, or why there cannot be one. */
export type CreateReading = CheckedCreate | Refused;

interface Refused {
  readonly error: ResultCode;
  readonly detail?: string;
}

export interface CheckedCreate extends NamedClient {
  readonly grantType: Exclude<GrantType, "REFRESH_TOKEN">;
  readonly subject: string | undefined;
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
  readonly x5tS256: string | undefined;
  readonly details: GrantDetails;
  readonly hasRefreshToken: boolean;
  readonly chosenAccessToken: string | undefined;
  readonly chosenRefreshToken: string | undefined;
}

const grantTypes: ReadonlySet<string> = new Set(["AUTHORIZATION_CODE", "PASSWORD", "CLIENT_CREDENTIALS"]);

/** RFC 6750 §2.1, and long enough not to be guessed: 128 bits have 22 characters of base64url. */
const chosenToken = /^(?=.{22,512}$)[A-Za-z0-9._~+/-]+=*$/;

const subjectCodes: Record<SubjectDefect, ResultCode> = {
  empty: "A105201",
  "too-long": "A105202",
  "non-ascii": "A105203",
  client: "A105203",
};

/** Checks a request of `auth/token/create` against the service and the client. */
export async function readCreateRequest(context: Context, request: TokenCreateRequest): Promise<CreateReading> {
  const { settings, service } = context;
  const grantType = request.grantType ?? "";
  if (grantType === "") return { error: "A104201" };
  if (grantType === "REFRESH_TOKEN") return { error: "A104202" };
  if (!isCreatable(service, grantType)) return { error: "A104203" };
  const named = await findNamedClient(context, request);
  if (named === undefined) return { error: "A107201" };
  const { client } = named;
  if (client.settings.locked) return { error: "A107203" };
  const alone = grantType === "CLIENT_CREDENTIALS";
  if (alone && client.settings.clientType === "PUBLIC") {
    return { error: "A104203", detail: "a public client cannot have it" };
  }
  if (alone && saysOfUser(request)) return { error: "A105204" };
  const defect = alone ? undefined : await subjectDefect(settings, service, request.subject);
  if (defect !== undefined) return { error: subjectCodes[defect] };
  const scopes = [...new Set(request.scopes ?? [])];
  if (!hasScopes(service, scopes)) return { error: "A106201" };
  const target = grantResources(service, request.resources ?? []);
  if ("error" in target) return { error: "A108209" };
  const binding = bindingOf(service, client, setText(request.certificateThumbprint));
  if (binding.error !== undefined) return binding;
  const additions = readAdditions(request);
  if ("error" in additions) return { ...additions, error: "A108206" };
  const hasRefreshToken = !alone && mayRefresh(service, client);
  const chosen = readChosen(request, hasRefreshToken);
  if (chosen.error !== undefined) return chosen;
  return {
    client,
    clientIdAliasUsed:
      client.settings.clientIdAlias !== undefined && (named.clientIdAliasUsed || request.clientIdAliasUsed === true),
    grantType,
    subject: alone ? undefined : (request.subject ?? undefined),
    scopes,
    resources: target.resources,
    x5tS256: binding.x5tS256,
    details: addToDetails(detailsOf(request), additions),
    hasRefreshToken,
    chosenAccessToken: chosen.accessToken,
    chosenRefreshToken: chosen.refreshToken,
  };
}

function isCreatable({ settings }: Service, grantType: string): grantType is CheckedCreate["grantType"] {
  return grantTypes.has(grantType) && settings.supportedGrantTypes.some((supported) => supported === grantType);
}

function saysOfUser({ subject, acr, authTime }: TokenCreateRequest): boolean {
  return isSet(subject) || isSet(acr) || isSet(authTime);
}

/** Both members may be given if they name the same client. */
async function findNamedClient(
  { settings, service }: Context,
  request: TokenCreateRequest,
): Promise<NamedClient | undefined> {
  const number = request.clientId ?? 0;
  const identifier = request.clientIdentifier ?? "";
  const byNumber = number === 0 ? undefined : await settings.client(service, { clientId: number });
  if (identifier === "" || (number !== 0 && byNumber === undefined)) {
    return byNumber && { client: byNumber, clientIdAliasUsed: false };
  }
  const named = await findEnabledClient(settings, service, identifier);
  if (byNumber !== undefined && named?.client.settings.clientId !== number) return undefined;
  return named;
}

/** No token is made unbound by an omission (RFC 8705 §3.4, RFC 9700 §2.2.1). */
function bindingOf(
  service: Service,
  client: Client,
  x5tS256: string | undefined,
): Refused | { readonly error?: undefined; readonly x5tS256: string | undefined } {
  if (x5tS256 !== undefined) return isThumbprint(x5tS256) ? { x5tS256 } : { error: "A108207" };
  const bound = requiresBinding(service.settings, client.settings);
  return bound ? { error: "A108208" } : { x5tS256 };
}

interface ChosenTokens {
  readonly error?: undefined;
  readonly accessToken: string | undefined;
  readonly refreshToken: string | undefined;
}

function readChosen(request: TokenCreateRequest, hasRefreshToken: boolean): Refused | ChosenTokens {
  const accessToken = setText(request.accessToken);
  const refreshToken = setText(request.refreshToken);
  if (refreshToken !== undefined && !hasRefreshToken) return { error: "A108203" };
  const wellFormed = [accessToken, refreshToken].every((token) => token === undefined || chosenToken.test(token));
  if (!wellFormed || (accessToken !== undefined && accessToken === refreshToken)) {
    return { error: "A144203" };
  }
  return { accessToken, refreshToken };
}

function detailsOf({ acr, authTime }: TokenCreateRequest): GrantDetails {
  return { ...(acr && { acr }), ...(authTime && { authTime }) };
}
