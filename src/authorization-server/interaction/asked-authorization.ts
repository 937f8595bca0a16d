import type { AuthorizationResponse } from "../../contract/auth-authorization.ts";
import { sourceOf } from "./page-answer.ts";
import type { ClientView, ScopeView } from "./pages.ts";
import type { AskedAuthorization } from "./sealed-state.ts";

/** What the backend says of a request that waits for its user, without what no page and no decision needs. */
export function askedAuthorization(response: AuthorizationResponse, parameters: string): AskedAuthorization {
  const { ticket = "", prompts = [], maxAge, acrs = [], acrEssential = false, subject, loginHint } = response;
  const scopes = (response.scopes ?? []).map(scopeView);
  // The backend has checked it against the client's registration before anybody is asked anything.
  const redirectUri = new URLSearchParams(parameters).get("redirect_uri");
  const answerTo = redirectUri === null ? undefined : sourceOf(redirectUri);
  return {
    ticket,
    client: clientView(response.client ?? {}),
    scopes,
    resources: response.resources ?? [],
    uiLocales: response.uiLocales ?? [],
    ...(loginHint === undefined ? {} : { loginHint }),
    claims: response.claims ?? [],
    demands: {
      prompts,
      ...(maxAge === undefined ? {} : { maxAge }),
      acrs,
      acrEssential,
      ...(subject === undefined ? {} : { subject }),
      scopes: scopes.map(({ name }) => name),
    },
    ...(answerTo === undefined ? {} : { answerTo }),
  };
}

function scopeView({ name, description }: { name: string; description?: string | undefined }): ScopeView {
  return { name, ...(description === undefined ? {} : { description }) };
}

type ClientOfResponse = NonNullable<AuthorizationResponse["client"]> | Record<string, undefined>;

function clientView(client: ClientOfResponse): ClientView {
  const id = String(client.clientId ?? "");
  const { clientName: name = id, description } = client;
  const links = {
    logoUri: client.logoUri,
    uri: client.clientUri,
    policyUri: client.policyUri,
    tosUri: client.tosUri,
  };
  const https = Object.entries(links).filter(([, uri]) => uri !== undefined && isHttps(uri));
  return { id, name, ...(description === undefined ? {} : { description }), ...Object.fromEntries(https) };
}

/** A link is something that a user clicks: never a script, never another program. */
function isHttps(uri: string): boolean {
  return URL.canParse(uri) && new URL(uri).protocol === "https:";
}
