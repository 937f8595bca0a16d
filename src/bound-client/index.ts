/** Entry `certbound/bound-client`: outbound requests that present the certificate, with tokens bound to it. */
export { AuthorizationServerMalformed, AuthorizationServerUnavailable, TokenRequestRefused } from "./token-errors.ts";
export type { AccessTokenRequest, BoundClient } from "./bound-client.ts";
export type { BoundClientOptions } from "./bound-client-options.ts";
export type { Undici } from "./bound-dispatcher.ts";
export type { HeldToken } from "./bound-tokens.ts";
export type { ClientAssertion } from "./token-endpoint-authentication.ts";
export { createBoundClient } from "./bound-client.ts";
export type { KeyPairOptions } from "./read-key-pair.ts";
export type { BoundResourceServer as ResourceServer } from "./token-targets.ts";
