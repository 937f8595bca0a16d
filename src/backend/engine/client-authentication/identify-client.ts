import type { Context } from "../context.ts";
import { readCompactJwt } from "../../../oauth/compact-jwt.ts";
import type { Form } from "../../../oauth/form.ts";
import { findClient, findEnabledClient, type NamedClient } from "../settings/find-client.ts";
import type { ResultCode } from "../answer/result.ts";

/** The client that a request names; `clientIdAliasUsed` when it did so by the alias. */
export type IdentifiedClient = NamedClient | { readonly error: ResultCode; readonly detail?: string };

/**
 * Finds the client by its `client_id`, else by the issuer of its assertion (RFC 7521 §4.2), and never by its
 * certificate (RFC 8705 §2).
 *
 * Basic credentials and a `client_id` must name the same client, by number or alias; a request that names two clients
 * is refused (RFC 6749 §2.3.1, §5.2). The assertion is checked against the client later.
 */
export async function identifyClient(
  { settings, service }: Context,
  basicUserId: string | undefined,
  form: Form,
): Promise<IdentifiedClient> {
  const clientId = form.get("client_id");
  const identifier = basicUserId ?? clientId ?? readIssuer(form.get("client_assertion"));
  if (typeof identifier === "object") return identifier;
  const found = await findClient(settings, service, identifier);
  if (basicUserId !== undefined && clientId !== undefined && clientId !== basicUserId) {
    const other = await findEnabledClient(settings, service, clientId);
    // The same answer whether or not there are such clients.
    if (found === undefined || other?.client.settings.clientId !== found.client.settings.clientId) {
      return { error: "A244301", detail: "the user of the Basic credentials is another client" };
    }
  }
  if (found === undefined) return { error: "A244306" };
  if (found.clientIdAliasUsed && !found.client.settings.clientIdAliasEnabled) return { error: "A244307" };
  return found;
}

/** Nothing is verified here; the client that it names must have signed it. */
function readIssuer(assertion: string | undefined): string | { readonly error: ResultCode } {
  if (assertion === undefined) return { error: "A244305" };
  const jwt = readCompactJwt(assertion);
  if (jwt === undefined) return { error: "A244303" };
  const { iss } = jwt.payload;
  return typeof iss === "string" && iss !== "" ? iss : { error: "A244304" };
}
