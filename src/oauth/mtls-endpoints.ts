/** The endpoints that clients and resource servers reach over mutual TLS, and that may have an alias (RFC 8705 §5). */
export const mtlsEndpoints: ReadonlySet<string> = new Set([
  "token_endpoint",
  "revocation_endpoint",
  "introspection_endpoint",
  "userinfo_endpoint",
]);
