/** Endpoints that may have an alias for mutual TLS (RFC 8705 §5). */
export const mtlsEndpoints: ReadonlySet<string> = new Set([
  "token_endpoint",
  "revocation_endpoint",
  "introspection_endpoint",
  "userinfo_endpoint",
]);

/** Supported grant types (IANA "OAuth Grant Types", RFC 7591 §2). */
export const grantTypes = ["authorization_code", "password", "client_credentials", "refresh_token"] as const;

/** Client authentication methods at the token endpoint (IANA "OAuth Token Endpoint Authentication Methods", RFC 8705 §2). */
export const clientAuthenticationMethods = [
  "none",
  "client_secret_basic",
  "client_secret_post",
  "client_secret_jwt",
  "private_key_jwt",
  "tls_client_auth",
  "self_signed_tls_client_auth",
] as const;

/** RSA signatures (RFC 7518 §3.3 and §3.5). */
export const rsaAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] as const;

/** ECDSA signatures (RFC 7518 §3.4), by the name of the curve in a JWK (RFC 7518 §6.2.1.1). */
export const ecdsaAlgorithms = { "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" } as const;

/** Two names of one algorithm: `Ed25519` (RFC 9864), and `EdDSA` (RFC 8037), which older programs use. */
export const ed25519Algorithms = ["EdDSA", "Ed25519"] as const;

/** All supported asymmetric signature algorithms (IANA "JSON Web Signature Algorithms"). */
export const signingAlgorithms = [...rsaAlgorithms, ...Object.values(ecdsaAlgorithms), ...ed25519Algorithms] as const;

/** Signatures with a shared secret (RFC 7518 §3.2): for the assertions of `client_secret_jwt` only. */
export const macAlgorithms = ["HS256", "HS384", "HS512"] as const;

export type SigningAlgorithm = (typeof signingAlgorithms)[number];
export type MacAlgorithm = (typeof macAlgorithms)[number];

/** A registered name as Authlete's API spells it. */
export type ApiName<Name extends string> = Uppercase<Name>;

/** The API's spelling of registered names, in their order: `["NONE", "CLIENT_SECRET_BASIC", …]`. */
export function apiNames<const Names extends readonly string[]>(
  names: Names,
): { readonly [Index in keyof Names]: ApiName<Names[Index]> } {
  return names.map((name) => name.toUpperCase()) as unknown as {
    readonly [Index in keyof Names]: ApiName<Names[Index]>;
  };
}

const isEd25519 = (algorithm: string): boolean => (ed25519Algorithms as readonly string[]).includes(algorithm);

/**
 * Whether two names mean the same algorithm: equal, or both Ed25519 (RFC 9864 §2.2).
 *
 * @example isSameAlgorithm("EdDSA", "Ed25519") // true
 */
export function isSameAlgorithm(one: string, other: string): boolean {
  return one === other || (isEd25519(one) && isEd25519(other));
}
