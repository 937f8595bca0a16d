import { requiresBinding } from "../../../oauth/certificate-binding.ts";
import type { CertificateOfRequest } from "../client-authentication/presented-certificate.ts";
import type { Client, Service } from "../settings/service-and-client.ts";
import type { ResultCode } from "../answer/result.ts";

/** The certificate that a new token is bound to, if it is bound at all, or why there can be no token. */
export type Binding = { readonly x5tS256: string | undefined } | { readonly error: ResultCode };

/**
 * Decides what a new access token is bound to (RFC 8705 §3).
 *
 * It is bound when both the service and the client require it, whatever the client's authentication method. Then a
 * request without a certificate gets no token, because a token that must be bound is never issued unbound (RFC 8705
 * §3.4).
 */
export function bindToken(service: Service, client: Client, certificate: CertificateOfRequest | undefined): Binding {
  if (certificate !== undefined && "unreadable" in certificate) return { error: "A244309" };
  const bound = requiresBinding(service.settings, client.settings);
  if (!bound) return { x5tS256: undefined };
  return certificate === undefined ? { error: "A244308" } : { x5tS256: certificate.x5tS256 };
}
