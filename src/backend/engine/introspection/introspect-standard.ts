import { isSet } from "../../../oauth/json-object.ts";
import type {
  StandardIntrospectionRequest,
  StandardIntrospectionResponse,
} from "../../../contract/auth-introspection-standard.ts";
import type { Property } from "../../../contract/members.ts";
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
import type { Dependencies, Clock } from "../dependencies.ts";
import { propertyMembers, readGrantDetails } from "../grant/grant-details.ts";
import { clientIdOf } from "../settings/find-client.ts";
import type { Client, Service, Settings } from "../settings/service-and-client.ts";
import { chooseSigningKey, type ChosenKey } from "../settings/signing-keys.ts";
import { expOf, findAccessToken, type KnownAccessToken, secondsLeftOf } from "./find-access-token.ts";

/** How an answer is to be signed: for whom, with what. */
interface AnswerSignature {
  readonly audience: string;
  readonly key: ChosenKey;
}

/** What the request demands; `signature` is `undefined` for a plain answer. */
type DemandedForm =
  { readonly signature: AnswerSignature | undefined } | { readonly refusal: StandardIntrospectionResponse };

const signedType = "application/token-introspection+jwt";

/** Reads what form of answer the resource server asks for (RFC 9701 §4); decided before the token is looked at. */
function readDemandedForm(service: Service, request: StandardIntrospectionRequest): DemandedForm {
  if (!prefersMediaType(request.httpAcceptHeader ?? "", signedType, "application/json")) {
    return { signature: undefined };
  }
  const audience = request.rsUri ?? "";
  if (audience === "") return { refusal: oauthError(service, "invalid_request", "A404301") };
  const { introspectionSignAlg: requested } = request;
  // RFC 9701 §6: RS256 where nothing else was agreed upon.
  const alg = isSet(requested) ? requested : "RS256";
  const key = chooseSigningKey(service.signingKeys, alg, service.settings.introspectionSignatureKeyId);
  if (key === undefined) return { refusal: oauthError(service, "server_error", "A404201", alg) };
  return { signature: { audience, key } };
}

/**
 * The same answer as a JWT (RFC 9701 §5). Beside the answer it says only who answers, whom and when: nothing of the
 * token stands outside, so that it can never pass for one.
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

/** Members that no property may take: they would change what the resource server decides (RFC 7662 §2.2). */
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
  dependencies: Dependencies,
  settings: Settings,
  service: Service,
  request: StandardIntrospectionRequest,
): Promise<StandardIntrospectionResponse> {
  const read = readForwardedForm(service, request.parameters, codes);
  if ("refusal" in read) return read.refusal as StandardIntrospectionResponse;
  const token = read.form.get("token");
  if (token === undefined) return oauthError(service, "invalid_request", "A145302");
  const demanded = readDemandedForm(service, request);
  if ("refusal" in demanded) return demanded.refusal;
  const answer = await answerFor(dependencies, settings, service, request, read.form, token);
  const { signature } = demanded;
  return signature === undefined ? answer : signAnswer(service, answer, signature, dependencies.clock);
}

async function answerFor(
  dependencies: Dependencies,
  settings: Settings,
  service: Service,
  request: StandardIntrospectionRequest,
  form: Form,
  token: string,
): Promise<StandardIntrospectionResponse> {
  const rsUri = request.rsUri ?? "";
  // The hint only orders the look-ups: it must never hide a token (RFC 7662 §2.1).
  const kinds = [
    () => answerForAccessToken(dependencies, settings, service, token, rsUri, request.withHiddenProperties === true),
    () => answerForRefreshToken(dependencies, settings, service, token, rsUri),
  ];
  if (form.get("token_type_hint") === "refresh_token") kinds.reverse();
  for (const answer of kinds) {
    const found = await answer();
    if (found !== undefined) return found;
  }
  return inactive;
}

async function answerForAccessToken(
  dependencies: Dependencies,
  settings: Settings,
  service: Service,
  accessToken: string,
  rsUri: string,
  withHiddenProperties: boolean,
): Promise<StandardIntrospectionResponse | undefined> {
  const known = await findAccessToken(dependencies, settings, service, accessToken);
  if (known === undefined) return undefined;
  noteToken(dependencies, known);
  const now = dependencies.clock();
  // The proof of possession is the resource server's to check: here the token counts as presented rightly.
  const presentedRightly = known.token.x5tS256 === undefined ? undefined : { x5tS256: known.token.x5tS256 };
  const decision = decideAccess(known.facts, { binding: "if-bound" }, presentedRightly, now);
  if (!decision.granted || isForOthers(known.token.resources, rsUri)) return inactive;
  const content = accessTokenContent(service, known, withHiddenProperties);
  return active(service, known, "access_token", content, now);
}

/**
 * A refresh token is no credential for an API (RFC 6749 §1.5), and RFC 7662 has no member that tells it from an access
 * token: it is inactive unless the service says that its callers manage tokens, and to a named resource server always.
 */
async function answerForRefreshToken(
  { store, clock }: Dependencies,
  settings: Settings,
  service: Service,
  refreshToken: string,
  rsUri: string,
): Promise<StandardIntrospectionResponse | undefined> {
  if (!service.settings.introspectionOfRefreshTokens || rsUri !== "") return undefined;
  const token = await store.readRefreshToken(service.settings.apiKey, tokenDigest(refreshToken));
  if (token === undefined) return undefined;
  const client = await settings.clientAt(service, token.clientId, token.clientVersion);
  // One that was consumed may give its answer once more for a moment, but it is inactive.
  const now = clock();
  const inForce =
    client !== undefined && !client.settings.locked && token.consumption === undefined && now < expOf(token) * 1000;
  if (!inForce) return inactive;
  const content = { ...commonContent(service, token, String(token.clientId)), token_use: "refresh_token" };
  return active(service, { token, client }, "refresh_token", content, now);
}

/** A token whose audience leaves out the resource server that asks is inactive to it (RFC 7662 §4). */
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
  const properties = token.properties === undefined ? undefined : (JSON.parse(token.properties) as Property[]);
  return { ...content, ...propertyMembers(properties, content, reserved, withHidden) };
}

function commonContent(service: Service, token: KnownAccessToken["token"] | StoredRefreshToken, clientId: string) {
  return {
    active: true,
    ...(token.subject !== undefined && { sub: token.subject }),
    // Left out when there is none: `scope` is a string, never null (RFC 7662 §2.2).
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
  type: "access_token" | "refresh_token",
  content: object,
  now: number,
): StandardIntrospectionResponse {
  const serviceId = service.settings.apiKey;
  return {
    ...result("A145001", `type=${type}, active=true`),
    action: "OK",
    responseContent: JSON.stringify(content),
    invalidationKeys: [
      // Of the opaque identifier, also when the JWT was asked about: what ends the one ends the other.
      tokenKey(Buffer.from(token.digest).toString("base64url")),
      // A store that has lost the token cannot tell whose JWT is revoked.
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
