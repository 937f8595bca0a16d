/**
 * What the authorization server answered is neither a token nor an OAuth error, or its metadata cannot be used.
 *
 * The message says what is wrong with it and quotes nothing of it.
 *
 * @example if (error instanceof AuthorizationServerMalformed) alarm(error.message)
 */
export class AuthorizationServerMalformed extends Error {
  override readonly name = "AuthorizationServerMalformed";
  readonly code = "ERR_AUTHORIZATION_SERVER_MALFORMED";
}
