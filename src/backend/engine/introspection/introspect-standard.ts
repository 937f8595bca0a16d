import { isSet } from "../../../oauth/json-object.ts";
import type {
  StandardIntrospectionRequest,
  StandardIntrospectionResponse,
} from "../../../contract/auth-introspection-standard.ts";
import { signJwt } from "../../../jose/sign-jwt.ts";
import { prefersMediaType } from "../../../oauth/accept.ts";
import { decideAccess } from "../../../oauth/access-token-decision.ts";
import type { Form } from "../../../oauth/form.ts";
import { formatScope } from "../../../oauth/scope.ts";
import { tokenDigest } from "../../../oauth/token-digest.ts";
import { clientKey, grantKey, serviceKey, subjectKey, tokenKey } from "../../store/invalidation-keys.ts";
import type { StoredRefreshToken } from "../../store/store.ts";
import { noteToken } from "../answer/note-facts.ts";
import { oauthError } from "../answer/oauth-error.ts";
import { result } from "../answer/result.ts";
import { type ParameterCodes, readForwardedForm } from "../client-authentication/client-request.ts";
import type { Clock } from "../dependencies.ts";
import { propertyMembers, readGrantDetails } from "../grant/grant-details.ts";
import { clientIdOf } from "../settings/find-client.ts";
import type { Client, Service } from "../settings/service-and-client.ts";
import { chooseSigningKey, type ChosenKey } from "../settings/signing-keys.ts";
import { expOf, findAccessToken, type KnownAccessToken, secondsLeftOf } from "./find-access-token.ts";
import type { Context } from "../context.ts";

/** The audience and the key of a signed answer. */
interface AnswerSignature {
  readonly audience: string;
  readonly key: ChosenKey;
}

/** The requested form of the answer; `signature` is `undefined` for a plain one. */
type DemandedForm =
  { readonly signature: AnswerSignature | undefined } | { readonly error: StandardIntrospectionResponse };

const signedType = "application/token-introspection+jwt";

/** Reads what form of answer the resource server asks for (RFC 9701 §4); decided before the token is looked at. */
function readDemandedForm(service: Service, request: StandardIntrospectionRequest): DemandedForm {
  if (!prefersMediaType(request.httpAcceptHeader ?? "", signedType, "application/json")) {
    return { signature: undefined };
  }
  const audience = request.rsUri ?? "";
  if (audience === "") return { error: oauthError(service, "invalid_request", "A404301") };
  const { introspectionSignAlg: requested } = request;
  // RFC 9701 §6: RS256 where nothing else was agreed upon.
  const alg = isSet(requested) ? requested : "RS256";
  const key = chooseSigningKey(service.signingKeys, alg, service.settings.introspectionSignatureKeyId);
  if (key === undefined) return { error: oauthError(service, "server_error", "A404201", alg) };
  return { signature: { audience, key } };
}

/**
 * The same answer as a JWT (RFC 9701 §5). Outside `token_introspection` it has only issuer, audience and time, so that
 * it can never be mistaken for the token.
 */
async function signAnswer(
  service: Service,
  answer: StandardIntrospectionResponse,
  { audience, key: { alg, kid, privateKey } }: AnswerSignature,
  clock: Clock,
): Promise<StandardIntrospectionResponse> {
  const payload = {
    iss: service.settings.issuer,
    aud: audience,
    iat: Math.floor(clock() / 1000),
    token_introspection: JSON.parse(answer.responseContent ?? "") as unknown,
  };
  const jwt = await signJwt(payload, privateKey, { alg, typ: "token-introspection+jwt", kid });
  return { ...answer, action: "JWT", responseContent: jwt };
}

const codes: ParameterCodes = { missing: "A145201", empty: "A145301", malformed: "A145202", repeated: new Map() };

/** Members that no property may replace: the resource server decides by them (RFC 7662 §2.2). */
const reserved = "active scope client_id username token_type exp iat nbf sub aud iss jti cnf act may_act acr auth_time"
  .split(" ")
  .concat("authorization_details", "token_use", "error", "error_description", "error_uri");

/** The one answer for every token that is not active, whatever the cause (RFC 7662 §2.2). */
const inactive: StandardIntrospectionResponse = Object.freeze({
  ...result("A145001", "type=null, active=false"),
  action: "OK",
  responseContent: '{"active":false}',
});

/**
 * Answers an introspection request with the facts of RFC 7662 §2.2, signed for who asks for that (RFC 9701);
 * certificates are compared by the resource server.
 */
export async function introspectStandard(
  context: Context,
  request: StandardIntrospectionRequest,
): Promise<StandardIntrospectionResponse> {
  const { service } = context;
  const read = readForwardedForm(service, request.parameters, codes);
  if ("error" in read) return read.error as StandardIntrospectionResponse;
  const token = read.form.get("token");
  if (token === undefined) return oauthError(service, "invalid_request", "A145302");
  const demanded = readDemandedForm(service, request);
  if ("error" in demanded) return demanded.error;
  const answer = await answerFor(context, request, read.form, token);
  const { signature } = demanded;
  return signature === undefined ? answer : signAnswer(service, answer, signature, context.clock);
}

async function answerFor(
  context: Context,
  request: StandardIntrospectionRequest,
  form: Form,
  token: string,
): Promise<StandardIntrospectionResponse> {
  const rsUri = request.rsUri ?? "";
  // The hint only orders the look-ups: it must never hide a token (RFC 7662 §2.1).
  const kinds = [
    () => answerForAccessToken(context, token, rsUri, request.withHiddenProperties === true),
    () => answerForRefreshToken(context, token, rsUri),
  ];
  if (form.get("token_type_hint") === "refresh_token") kinds.reverse();
  for (const answer of kinds) {
    const found = await answer();
    if (found !== undefined) return found;
  }
  return inactive;
}

async function answerForAccessToken(
  context: Context,
  accessToken: string,
  rsUri: string,
  withHiddenProperties: boolean,
): Promise<StandardIntrospectionResponse | undefined> {
  const { service } = context;
  const known = await findAccessToken(context, accessToken);
  if (known === undefined) return undefined;
  noteToken(context, known);
  const now = context.clock();
  // The proof of possession is the resource server's to check: here the token counts as presented rightly.
  const presentedRightly = known.token.x5tS256 === undefined ? undefined : { x5tS256: known.token.x5tS256 };
  const decision = decideAccess(known.facts, { binding: "if-bound" }, presentedRightly, now);
  if (!decision.granted || isForOthers(known.token.resources, rsUri)) return inactive;
  const content = accessTokenContent(service, known, withHiddenProperties);
  return active(service, known, { type: "access_token", content }, now);
}

/**
 * A refresh token is no credential for an API (RFC 6749 §1.5), and no member of RFC 7662 tells it from an access token.
 * So it is inactive unless the service's setting says that its callers manage tokens; for a named resource server it is
 * always inactive.
 */
async function answerForRefreshToken(
  { store, clock, settings, service }: Context,
  refreshToken: string,
  rsUri: string,
): Promise<StandardIntrospectionResponse | undefined> {
  if (!service.settings.introspectionOfRefreshTokens || rsUri !== "") return undefined;
  const token = await store.readRefreshToken(service.settings.apiKey, tokenDigest(refreshToken));
  if (token === undefined) return undefined;
  const client = await settings.clientAt(service, token.clientId, token.clientVersion);
  // A consumed token may repeat its answer for a moment, but it is inactive.
  const now = clock();
  const inForce =
    client !== undefined && !client.settings.locked && token.consumption === undefined && now < expOf(token) * 1000;
  if (!inForce) return inactive;
  const content = { ...commonContent(service, token, String(token.clientId)), token_use: "refresh_token" };
  return active(service, { token, client }, { type: "refresh_token", content }, now);
}

/** A token is inactive for a resource server that is not in its audience (RFC 7662 §4). */
function isForOthers(audience: readonly string[], rsUri: string): boolean {
  return rsUri !== "" && audience.length > 0 && !audience.includes(rsUri);
}

function accessTokenContent(service: Service, { token, client }: KnownAccessToken, withHidden: boolean) {
  const { acr, authTime } = readGrantDetails(token.details);
  const content = {
    ...commonContent(service, token, clientIdOf({ client, clientIdAliasUsed: token.clientIdAliasUsed })),
    token_type: service.settings.accessTokenType,
    ...(acr !== undefined && { acr }),
    ...(authTime !== undefined && { auth_time: authTime }),
  };
  return { ...content, ...propertyMembers(token.properties, content, reserved, withHidden) };
}

function commonContent(service: Service, token: KnownAccessToken["token"] | StoredRefreshToken, clientId: string) {
  return {
    active: true,
    ...(token.subject !== undefined && { sub: token.subject }),
    // Left out when empty: `scope` is a string, never null (RFC 7662 §2.2).
    ...(token.scopes.length !== 0 && { scope: formatScope(token.scopes) }),
    iss: service.settings.issuer,
    iat: Math.floor(token.createdAt / 1000),
    exp: expOf(token),
    client_id: clientId,
    ...(token.resources.length !== 0 && { aud: [...token.resources] }),
    ...(token.x5tS256 !== undefined && { cnf: { "x5t#S256": token.x5tS256 } }),
  };
}

function active(
  service: Service,
  {
    token,
    client,
    presented = token.digest,
  }: { token: KnownAccessToken["token"] | StoredRefreshToken; client: Client; presented?: Uint8Array },
  { type, content }: { readonly type: "access_token" | "refresh_token"; readonly content: object },
  now: number,
): StandardIntrospectionResponse {
  const serviceId = service.settings.apiKey;
  return {
    ...result("A145001", `type=${type}, active=true`),
    action: "OK",
    responseContent: JSON.stringify(content),
    invalidationKeys: [
      // The key of the opaque identifier, also for a JWT: revoking one revokes the other.
      tokenKey(Buffer.from(token.digest).toString("base64url")),
      // A store that has lost the token cannot find the JWT's token when the JWT is revoked.
      ...(Buffer.compare(presented, token.digest) === 0
        ? []
        : [tokenKey(Buffer.from(presented).toString("base64url"))]),
      ...(token.grantId === undefined ? [] : [grantKey(token.grantId)]),
      ...(token.subject === undefined ? [] : [subjectKey(token.subject)]),
      clientKey(serviceId, client.settings.clientId),
      serviceKey(serviceId),
    ],
    expiresIn: secondsLeftOf(token, now),
  };
}
