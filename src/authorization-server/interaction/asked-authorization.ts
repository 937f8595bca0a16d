import type { AuthorizationResponse } from "../../contract/auth-authorization.ts";
import { scopeClaims } from "../../oauth/claims-request.ts";
import { readForm } from "../../oauth/form.ts";
import { sourceOf } from "./page-answer.ts";
import type { ClientView, ScopeView } from "./pages.ts";
import type { AskedAuthorization } from "./sealed-state.ts";

/** What the backend says of a request that waits for its user, without what no page and no decision needs. */
export function askedAuthorization(response: AuthorizationResponse, parameters: string): AskedAuthorization {
  const { ticket = "", prompts = [], maxAge = 0, acrs = [], acrEssential = false, subject, loginHint } = response;
  // A backend that does not tell them apart means "not given" by 0 (Authlete's API).
  const hasMaxAge = response.maxAgeRequested === true || maxAge > 0;
  const scopes = (response.scopes ?? []).map(scopeView);
  const names = scopes.map(({ name }) => name);
  const { claims = [], claimsAtUserInfo = [], userInfoClaims } = response;
  const ofScopes = new Set(scopeClaims(names));
  const claimsByName = [...new Set([...claims, ...claimsAtUserInfo])].filter((name) => !ofScopes.has(name));
  // The backend has checked it against the client's registration before anybody is asked anything.
  const reading = readForm(parameters, { repeatable: "any" });
  const redirectUri = reading.ok ? reading.form.get("redirect_uri") : undefined;
  const answerTo = redirectUri === undefined ? undefined : sourceOf(redirectUri);
  return {
    ticket,
    client: clientView(response.client),
    scopes,
    uiLocales: response.uiLocales ?? [],
    ...(loginHint === undefined ? {} : { loginHint }),
    idTokenClaims: claims,
    asksForClaims: claims.length > 0 || claimsAtUserInfo.length > 0 || userInfoClaims !== undefined,
    demands: {
      prompts,
      ...(hasMaxAge ? { maxAge } : {}),
      acrs,
      acrEssential,
      ...(subject === undefined ? {} : { subject }),
      scopes: names,
      claims: claimsByName,
      resources: response.resources ?? [],
    },
    ...(answerTo === undefined ? {} : { answerTo }),
  };
}

function scopeView({ name, description }: { name: string; description?: string | undefined }): ScopeView {
  return { name, ...(description === undefined ? {} : { description }) };
}

function clientView(client: AuthorizationResponse["client"]): ClientView {
  const id = String(client?.clientId ?? "");
  return { id, name: client?.clientName ?? id };
}
