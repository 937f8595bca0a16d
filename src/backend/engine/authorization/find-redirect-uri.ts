import type { Form } from "../../../oauth/form.ts";
import { isRedirectUri, isSameRedirectUri } from "../../../oauth/uri.ts";
import type { Client } from "../settings/service-and-client.ts";
import type { ResultCode } from "../answer/result.ts";

/** `requested` as the request has it; `redirectUri` is where the answer goes. */
export type FoundRedirectUri =
  { readonly requested: string | undefined; readonly redirectUri: string } | { readonly error: ResultCode };

/**
 * Finds the redirect URI of an authorization response (RFC 6749 §3.1.2.3, RFC 9700 §2.1).
 *
 * Without `redirect_uri` it is the only registered one, unless the request is an OpenID one (OpenID Connect Core
 * §3.1.2.1). Without exactly one candidate there is no redirect.
 */
export function findRedirectUri(client: Client, form: Form): FoundRedirectUri {
  if (form.repeated.includes("redirect_uri")) return { error: "A011302" };
  const registered = client.settings.redirectUris.filter(isRedirectUri);
  const [only, ...others] = registered;
  if (only === undefined) return { error: "A011309" };
  const requested = form.get("redirect_uri");
  if (requested !== undefined) {
    return isRegisteredRedirectUri(client, requested) ? { requested, redirectUri: requested } : { error: "A011304" };
  }
  if (form.getAll("scope").some((scope) => scope.split(" ").includes("openid"))) return { error: "A011303" };
  return others.length > 0 ? { error: "A011310" } : { requested, redirectUri: only };
}

/** Whether answers may (still) go there. */
export function isRegisteredRedirectUri({ settings }: Client, redirectUri: string): boolean {
  return settings.redirectUris.some((registered) => isSameRedirectUri(registered, redirectUri));
}
