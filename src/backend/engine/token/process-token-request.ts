import type { Context } from "../context.ts";
import type { TokenRequest, TokenResponse } from "../../../contract/auth-token.ts";
import type { Form } from "../../../oauth/form.ts";
import {
  type AuthenticatedClient,
  type ParameterCodes,
  readClientOfRequest,
  readForwardedForm,
} from "../client-authentication/client-request.ts";
import type { GrantType } from "../settings/settings.ts";
import { oauthError } from "../answer/oauth-error.ts";
import { type Decided, newAttempt, runForService } from "../answer/run-decided.ts";
import { decideAuthorizationCode } from "./authorization-code.ts";
import { decideClientCredentials } from "./client-credentials.ts";
import { decidePassword } from "./password.ts";
import { decideRefreshToken } from "./refresh-token.ts";
import { type Additions, readAdditions } from "../grant/request-details.ts";

const codes: ParameterCodes = {
  missing: "A047201",
  empty: "A047301",
  malformed: "A047202",
  repeated: new Map([
    ["client_id", "A244301"],
    ["client_secret", "A158301"],
    ["grant_type", "A049303"],
    ["scope", "A052302"],
    ["code", "A050303"],
    ["redirect_uri", "A050304"],
    ["code_verifier", "A050314"],
    ["refresh_token", "A053303"],
    ["username", "A051303"],
    ["password", "A051306"],
  ]),
};

type Decide = (
  context: Context,
  client: AuthenticatedClient,
  additions: Additions,
  form: Form,
) => Decided<TokenResponse> | Promise<Decided<TokenResponse>>;

/** A map, because a client chooses the name that is looked up. */
const grants: ReadonlyMap<string, { readonly grantType: GrantType; readonly decide: Decide }> = new Map([
  ["authorization_code", { grantType: "AUTHORIZATION_CODE", decide: decideAuthorizationCode }],
  ["refresh_token", { grantType: "REFRESH_TOKEN", decide: decideRefreshToken }],
  ["client_credentials", { grantType: "CLIENT_CREDENTIALS", decide: decideClientCredentials }],
  ["password", { grantType: "PASSWORD", decide: decidePassword }],
]);

/**
 * Processes a token request as an authorization server received it (RFC 6749 §3.2, RFC 8705 §3).
 *
 * Everything is decided within the decision, the client's authentication too: a client locked or rebound in between is
 * seen when it is taken again.
 */
export async function processTokenRequest(context: Context, request: TokenRequest): Promise<TokenResponse> {
  const { service } = context;
  const read = readForwardedForm(service, request.parameters, codes, ["resource"]);
  if ("error" in read) return read.error;
  const { form } = read;
  const additions = readAdditions(request);
  if ("error" in additions) return oauthError(service, "server_error", "A054201");
  const name = form.get("grant_type");
  if (name === undefined) return oauthError(service, "invalid_request", "A049301");
  const grant = grants.get(name);
  if (grant === undefined) return oauthError(service, "unsupported_grant_type", "A049305");
  const { grantType, decide } = grant;
  context.note?.({ grantType });
  const once = { endpoint: "token_endpoint", attempt: newAttempt(context.random) } as const;
  const gone = () => oauthError(service, "server_error", "A003201");
  return runForService<TokenResponse>(context, gone, async (current) => {
    const { service } = current;
    if (!service.settings.supportedGrantTypes.includes(grantType)) {
      return { outcome: oauthError(service, "unsupported_grant_type", "A049305") };
    }
    const read = await readClientOfRequest(current, request, form, once);
    if ("error" in read) return { outcome: read.error };
    const { client } = read;
    if (grantType === "CLIENT_CREDENTIALS" && client.settings.clientType === "PUBLIC") {
      return { outcome: oauthError(service, "unauthorized_client", "A052301") };
    }
    if (!client.settings.grantTypes.includes(grantType)) {
      return { outcome: oauthError(service, "unauthorized_client", "A047302") };
    }
    return decide(current, read, additions, form);
  });
}
