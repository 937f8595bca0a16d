/**
 * Whether an API's answer says that the token is not good any more (RFC 6750 §3.1): another one may be.
 *
 * @example isTokenRefusal(401, 'Bearer error="invalid_token"') // true
 */
export function isTokenRefusal(status: number | undefined, challenge: string | readonly string[] | undefined): boolean {
  if (status !== 401 || challenge === undefined) return false;
  const texts = typeof challenge === "string" ? [challenge] : challenge;
  return texts.some((text) => /(?:^|[\s,])error *= *(?:"invalid_token"|invalid_token(?=[\s,]|$))/i.test(text));
}
