/** The switch of a service, and of a client, under the API's name (RFC 8705 §3.3 and §3.4). */
export interface BindingSwitch {
  readonly tlsClientCertificateBoundAccessTokens: boolean;
}

/**
 * Whether a client's access tokens have to be bound to its certificate: when both the service and the client say so,
 * whatever the client's method of authentication (RFC 8705 §3.3, §3.4; Authlete's API).
 *
 * @example requiresBinding(service.settings, client.settings) // true
 */
export function requiresBinding(service: BindingSwitch, client: BindingSwitch): boolean {
  return service.tlsClientCertificateBoundAccessTokens && client.tlsClientCertificateBoundAccessTokens;
}
