/** Parameters of an authorization response; those without value are left out. */
export type ResponseParameters = Readonly<Record<string, string | undefined>>;

/** The parameters that have a value, in their order. */
export function givenParameters(parameters: ResponseParameters): [name: string, value: string][] {
  return Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
}

/**
 * The address that carries an authorization response in its query (RFC 6749 §4.1.2): the redirect URI as it was
 * registered, its own query kept, with the parameters after it.
 *
 * The URI must have no fragment, as no redirect URI has (RFC 6749 §3.1.2).
 *
 * @example authorizationResponseUrl("https://client.example.com/cb?a=1", { code: "x y" }) // "https://client.example.com/cb?a=1&code=x+y"
 */
export function authorizationResponseUrl(redirectUri: string, parameters: ResponseParameters): string {
  const query = new URLSearchParams(givenParameters(parameters)).toString();
  if (!redirectUri.includes("?")) return `${redirectUri}?${query}`;
  return /[?&]$/.test(redirectUri) ? redirectUri + query : `${redirectUri}&${query}`;
}
