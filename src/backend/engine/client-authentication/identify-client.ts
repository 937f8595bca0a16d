import { readCompactJwt } from "../../../oauth/compact-jwt.ts";
import type { Form } from "../../../oauth/form.ts";
import { findClient, type NamedClient } from "../find-client.ts";
import type { Service, Settings } from "../management/settings-memo.ts";
import type { ResultCode } from "../result.ts";

/** The client that a request names; `clientIdAliasUsed` when it did so by the alias. */
export type IdentifiedClient = NamedClient | { readonly refusedWith: ResultCode };

/**
 * Finds the client by its `client_id`, else by the issuer of its assertion (RFC 7521 §4.2), and by nothing else: never
 * by what its certificate says (RFC 8705 §2).
 *
 * The user id of Basic credentials wins over the `client_id` of the form (Authlete's API).
 */
export async function identifyClient(
  settings: Settings,
  service: Service,
  basicUserId: string | undefined,
  form: Form,
): Promise<IdentifiedClient> {
  const identifier = basicUserId ?? form.get("client_id") ?? readIssuer(form.get("client_assertion"));
  if (typeof identifier === "object") return identifier;
  const found = await findClient(settings, service, identifier);
  if (found === undefined) return { refusedWith: "A244306" };
  if (found.clientIdAliasUsed && !found.client.settings.clientIdAliasEnabled) return { refusedWith: "A244307" };
  return found;
}

/** Nothing of it is verified here; whoever it names must have signed it. */
function readIssuer(assertion: string | undefined): string | { readonly refusedWith: ResultCode } {
  if (assertion === undefined) return { refusedWith: "A244305" };
  const jwt = readCompactJwt(assertion);
  if (jwt === undefined) return { refusedWith: "A244303" };
  const { iss } = jwt.payload;
  return typeof iss === "string" && iss !== "" ? iss : { refusedWith: "A244304" };
}
