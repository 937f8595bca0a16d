/** The setting of a service or a client, under the API's name (RFC 8705 §3.3 and §3.4). */
export interface BindingSwitch {
  readonly tlsClientCertificateBoundAccessTokens: boolean;
}

/**
 * Whether a client's access tokens must be bound to its certificate: if both service and client have the setting, with
 * any client authentication method (RFC 8705 §3.3, §3.4; Authlete's API).
 *
 * @example requiresBinding(service.settings, client.settings) // true
 */
export function requiresBinding(service: BindingSwitch, client: BindingSwitch): boolean {
  return service.tlsClientCertificateBoundAccessTokens && client.tlsClientCertificateBoundAccessTokens;
}
