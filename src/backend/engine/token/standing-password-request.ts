import type { Client, Service } from "../management/settings-memo.ts";
import type { PasswordTicket } from "./password-ticket.ts";
import { forOneAudience, grantResources } from "./resources.ts";
import { grantScopes } from "./scopes.ts";

/** What a password request can still get. */
export type StandingPasswordRequest = Pick<PasswordTicket, "scopes" | "resources">;

/**
 * Decides again over what may have changed while the user was asked for: the grant type, the binding, the scopes and the
 * resources.
 *
 * Scopes that service or client no longer have are dropped; `undefined` when the request would not be accepted now. One
 * that came without a certificate is not, once tokens are to be bound: none is ever issued unbound (RFC 8705 §3.4).
 */
export function standingPasswordRequest(
  service: Service,
  client: Client,
  asked: PasswordTicket,
): StandingPasswordRequest | undefined {
  const allowed =
    service.settings.supportedGrantTypes.includes("PASSWORD") && client.settings.grantTypes.includes("PASSWORD");
  const toBeBound =
    service.settings.tlsClientCertificateBoundAccessTokens && client.settings.tlsClientCertificateBoundAccessTokens;
  if (!allowed || (toBeBound && asked.x5tS256 === undefined)) return undefined;
  const granted = asked.scopes.length === 0 ? { scopes: [] } : grantScopes(service, client, asked.scopes.join(" "));
  if ("refused" in granted) return undefined;
  const target = forOneAudience(service, grantResources(service, asked.requestedResources), granted.scopes);
  return "refusedWith" in target ? undefined : { scopes: granted.scopes, resources: target.resources };
}
