import type { TokenRequest, TokenResponse } from "../../../contract/auth-token.ts";
import { newAttempt } from "../attempt.ts";
import { readClientOfRequest, readForwardedForm, type ParameterCodes } from "../client-request.ts";
import type { Dependencies } from "../dependencies.ts";
import type { Service, Settings } from "../management/settings-memo.ts";
import { oauthError } from "../oauth-error.ts";
import { runDecided } from "../run-decided.ts";
import { decideClientCredentials } from "./client-credentials.ts";

const codes: ParameterCodes = {
  missing: "A047201",
  empty: "A047301",
  malformed: "A047202",
  repeated: new Map([
    ["client_id", "A244301"],
    ["client_secret", "A158301"],
    ["grant_type", "A049303"],
    ["scope", "A052302"],
  ]),
};

/**
 * Processes a token request as an authorization server received it (RFC 6749 §3.2, RFC 8705 §3).
 *
 * The client is authenticated once; the decision over its token is taken again when what it rests on has changed.
 */
export async function processTokenRequest(
  dependencies: Dependencies,
  settings: Settings,
  service: Service,
  request: TokenRequest,
): Promise<TokenResponse> {
  const read = readForwardedForm(service, request.parameters, codes, ["resource"]);
  if ("refusal" in read) return read.refusal;
  const { form } = read;
  const grantType = form.get("grant_type");
  if (grantType === undefined) return oauthError(service, "invalid_request", "A049301");
  if (grantType !== "client_credentials" || !service.settings.supportedGrantTypes.includes("CLIENT_CREDENTIALS")) {
    return oauthError(service, "unsupported_grant_type", "A049305");
  }
  const once = { endpoint: "token_endpoint", attempt: newAttempt(dependencies.random) } as const;
  return runDecided<TokenResponse>(dependencies, async () => {
    // Settings are read within the decision: a client locked or rebound in between is seen when it is taken again.
    const current = await settings.service(service.settings.apiKey);
    if (current === undefined) return { outcome: oauthError(service, "server_error", "A003201") };
    const read = await readClientOfRequest(dependencies, settings, current, request, form, once);
    if ("refusal" in read) return { outcome: read.refusal };
    return decideClientCredentials(dependencies, current, read, request, form);
  });
}
