import type { ClientSettings, ServiceSettings } from "../../src/backend/engine/settings/settings.ts";
import { clientSettings, serviceSettings } from "./settings.ts";

export const redirectUri = "https://client.example.com/cb";
/** RFC 7636 App. B. */
export const codeVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
export const codeChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/** A service that issues codes for `read`, `write` and OpenID. */
export function codeService(settings: Partial<ServiceSettings> = {}): ServiceSettings {
  return serviceSettings({
    supportedGrantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN"],
    supportedScopes: ["read", "write", "openid", "profile", "email", "offline_access"].map((name) => ({ name })),
    ...settings,
  });
}

/** Client 1, confidential, which may ask for codes; its tokens are bound. */
export function codeClient(settings: Partial<ClientSettings> = {}): ClientSettings {
  return clientSettings({
    clientId: 1,
    grantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN"],
    redirectUris: [redirectUri],
    ...settings,
  });
}

/** The request of client 1 for `read` with PKCE; a parameter that is changed to `undefined` is left out. */
export function authorizationParameters(changes: Readonly<Record<string, string | undefined>> = {}): string {
  const parameters: Record<string, string | undefined> = {
    response_type: "code",
    client_id: "1",
    redirect_uri: redirectUri,
    scope: "read",
    state: "af0ifjsldkj",
    code_challenge: codeChallenge,
    code_challenge_method: "S256",
    ...changes,
  };
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return new URLSearchParams(given).toString();
}

/** The parameters of an authorization response that goes to an address. */
export function parametersOf(responseContent: string | undefined): Record<string, string> {
  return Object.fromEntries(new URL(responseContent ?? "").searchParams);
}
