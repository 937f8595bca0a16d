import {
  type ClaimsRequest,
  type RequestedClaim,
  readClaimsRequest,
  type Prompt,
  readPrompt,
} from "../../../oauth/openid-parameters.ts";
import type { Form } from "../../../oauth/form.ts";
import { readIdTokenHint } from "../jwt/id-token.ts";
import { ownClaimsOfIdToken } from "../jwt/own-claims.ts";
import type { Client, Service } from "../settings/service-and-client.ts";
import type { AuthorizationRefusal } from "./authorization-answer.ts";
import type { AuthenticationRequest, Display } from "./ticket-request.ts";

type Reading<Value> = Value | { readonly error: AuthorizationRefusal };

const displays: readonly Display[] = ["page", "popup", "touch", "wap"];

/** As large as the API's 32-bit integers. */
const longestMaxAge = 2_147_483_647;

/** The values of `prompt`, or the error in them. */
export function requestedPrompts(form: Form): Reading<readonly Prompt[]> {
  const text = form.get("prompt");
  if (text === undefined) return [];
  const prompts = readPrompt(text);
  if (!("error" in prompts)) return prompts;
  return { error: { error: "invalid_request", code: prompts.error === "alone" ? "A016304" : "A016303" } };
}

/** Reads the parameters of OpenID Connect Core §3.1.2.1; they hold without the scope `openid` too. */
export async function readAuthenticationRequest(
  service: Service,
  client: Client,
  form: Form,
  prompts: readonly Prompt[],
): Promise<Reading<AuthenticationRequest>> {
  const display = displays.find((value) => value === (form.get("display") ?? "page"));
  if (display === undefined) return { error: { error: "invalid_request", code: "A015303" } };
  const maxAge = readMaxAge(form.get("max_age"));
  if (maxAge === "malformed") return { error: { error: "invalid_request", code: "A017303" } };
  const claims = readClaims(form.get("claims"));
  if (claims === undefined) return { error: { error: "invalid_request", code: "A022303" } };
  const acrs = requestedAcrs(service, words(form.get("acr_values")), claims.idToken?.claims.get("acr"));
  if ("error" in acrs) return acrs;
  const subject = await requestedSubject(service, client, form, claims);
  if (typeof subject === "object") return subject;
  return {
    nonce: form.get("nonce"),
    display,
    loginHint: form.get("login_hint"),
    uiLocales: words(form.get("ui_locales")),
    claimsLocales: words(form.get("claims_locales")),
    prompts,
    maxAge,
    authTimeEssential: claims.idToken?.claims.get("auth_time")?.essential ?? false,
    ...acrs,
    subject,
    idTokenClaimNames: [...(claims.idToken?.claims.keys() ?? [])].filter((name) => !ownClaimsOfIdToken.has(name)),
    userInfoClaimNames: [...(claims.userInfo?.claims.keys() ?? [])],
    idTokenClaims: claims.idToken?.text,
    userInfoClaims: claims.userInfo?.text,
  };
}

function readMaxAge(text: string | undefined): number | "malformed" | undefined {
  if (text === undefined) return undefined;
  return /^[0-9]{1,10}$/.test(text) && Number(text) <= longestMaxAge ? Number(text) : "malformed";
}

function readClaims(text: string | undefined): ClaimsRequest | undefined {
  return text === undefined ? { idToken: undefined, userInfo: undefined } : readClaimsRequest(text);
}

/** The one user that will do: by the `sub` of `claims` (§5.5.1) or by an ID token that the client has (§3.1.2.1). */
async function requestedSubject(
  service: Service,
  client: Client,
  form: Form,
  claims: ClaimsRequest,
): Promise<string | undefined | { readonly error: AuthorizationRefusal }> {
  const requestedSubjects = [claims.idToken, claims.userInfo].flatMap((half) => half?.claims.get("sub")?.values ?? []);
  if (!requestedSubjects.every((value) => typeof value === "string")) {
    return { error: { error: "invalid_request", code: "A022303" } };
  }
  const subjects = new Set(requestedSubjects);
  const hint = form.get("id_token_hint");
  if (hint !== undefined) {
    const read = await readIdTokenHint(service, hint);
    if (read === undefined || !isFor(client, read.audience)) {
      return { error: { error: "invalid_request", code: "A019303" } };
    }
    subjects.add(read.subject);
  }
  const [subject, ...others] = subjects;
  return others.length > 0 ? { error: { error: "invalid_request", code: "A022304" } } : subject;
}

function isFor({ settings }: Client, audience: readonly string[]): boolean {
  const alias = settings.clientIdAliasEnabled ? settings.clientIdAlias : undefined;
  return audience.includes(String(settings.clientId)) || (alias !== undefined && audience.includes(alias));
}

function words(text: string | undefined): string[] {
  return [...new Set(text?.split(" ").filter((word) => word !== ""))];
}

/** The authentication context classes that a request asks for, the preferred one first. */
interface RequestedAcrs {
  readonly acrs: readonly string[];
  readonly acrEssential: boolean;
}

/**
 * Decides over `acr_values` and the claim `acr`, which takes precedence when it has values (OpenID Connect Core
 * §5.5.1.1).
 *
 * Unsupported classes are dropped. A request whose classes are all unsupported is refused.
 */
function requestedAcrs(
  { settings }: Service,
  acrValues: readonly string[],
  claim: RequestedClaim | undefined,
): RequestedAcrs | { readonly error: AuthorizationRefusal } {
  const requestedValues = claim?.values ?? [];
  if (!requestedValues.every((value) => typeof value === "string")) {
    return { error: { error: "invalid_request", code: "A022303" } };
  }
  const acrEssential = claim?.essential ?? false;
  const asked = requestedValues.length > 0 ? [...new Set(requestedValues)] : acrValues;
  const acrs = asked.filter((acr) => settings.supportedAcrs.includes(acr));
  if (asked.length > 0 && acrs.length === 0) {
    const error = acrEssential ? "unmet_authentication_requirements" : "invalid_request";
    return { error: { error, code: settings.supportedAcrs.length === 0 ? "A021303" : "A021304" } };
  }
  return { acrs, acrEssential };
}
