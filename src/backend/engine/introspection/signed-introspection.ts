import type {
  StandardIntrospectionRequest,
  StandardIntrospectionResponse,
} from "../../../contract/auth-introspection-standard.ts";
import { signJwt } from "../../../jose/sign-jwt.ts";
import { prefersMediaType } from "../../../oauth/accept.ts";
import type { Clock } from "../dependencies.ts";
import { chooseSigningKey, type ChosenKey } from "../settings/signing-keys.ts";
import type { Service } from "../settings/service-and-client.ts";
import { oauthError } from "../answer/oauth-error.ts";

/** How an answer is to be signed: for whom, with what. */
export interface AnswerSignature {
  readonly audience: string;
  readonly key: ChosenKey;
}

/** What the request demands; `signature` is `undefined` for a plain answer. */
export type DemandedForm =
  { readonly signature: AnswerSignature | undefined } | { readonly refusal: StandardIntrospectionResponse };

const signedType = "application/token-introspection+jwt";

/** Reads what form of answer the resource server asks for (RFC 9701 §4); decided before the token is looked at. */
export function readDemandedForm(service: Service, request: StandardIntrospectionRequest): DemandedForm {
  if (!prefersMediaType(request.httpAcceptHeader ?? "", signedType, "application/json")) {
    return { signature: undefined };
  }
  const audience = request.rsUri ?? "";
  if (audience === "") return { refusal: oauthError(service, "invalid_request", "A404301") };
  const wished = request.introspectionSignAlg ?? "";
  // RFC 9701 §6: RS256 where nothing else was agreed upon.
  const alg = wished === "" ? "RS256" : wished;
  const key = chooseSigningKey(service.signingKeys, alg, service.settings.introspectionSignatureKeyId);
  if (key === undefined) return { refusal: oauthError(service, "server_error", "A404201", alg) };
  return { signature: { audience, key } };
}

/**
 * The same answer as a JWT (RFC 9701 §5). Beside the answer it says only who answers, whom and when: nothing of the
 * token stands outside, so that it can never pass for one.
 */
export async function signAnswer(
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
