import type { AuthorizationServerResponse } from "./authorization-server-request.ts";
import { AuthorizationServerMalformed, TokenRequestRefused } from "./token-errors.ts";

/** A token as the authorization server gave it. */
export interface IssuedToken {
  readonly accessToken: string;
  /** Seconds from when it was asked for. */
  readonly expiresIn: number;
  /** `undefined`: what was asked for (RFC 6749 §5.1). */
  readonly scopes: readonly string[] | undefined;
}

/** What may stand behind `Bearer` (RFC 6750 §2.1). */
const bearerToken = /^[A-Za-z0-9._~+/-]{1,16384}={0,16}$/;

/**
 * Reads the answer of a token endpoint (RFC 6749 §5).
 *
 * Throws {@link TokenRequestRefused} for an OAuth error and {@link AuthorizationServerMalformed} for everything that is
 * neither: another type than Bearer, a token that fits no header, a life that is not said.
 *
 * @example readTokenAnswer({ status: 200, json: { access_token: "a", token_type: "Bearer", expires_in: 3600 } })
 */
export function readTokenAnswer({ status, json }: AuthorizationServerResponse): IssuedToken {
  const error = json?.["error"];
  if (status >= 400 && typeof error === "string" && error !== "") {
    const description = json?.["error_description"];
    throw new TokenRequestRefused(error, typeof description === "string" ? description : undefined, status);
  }
  if (status !== 200) throw malformed(`has status ${status} and is no OAuth error`);
  if (json === undefined) throw malformed("is no JSON object");
  const { access_token: accessToken, token_type: type, expires_in: expiresIn, scope } = json;
  if (typeof accessToken !== "string" || !bearerToken.test(accessToken)) throw malformed("has no usable access_token");
  if (typeof type !== "string" || type.toLowerCase() !== "bearer")
    throw malformed("has a token_type other than Bearer");
  if (typeof expiresIn !== "number" || !Number.isFinite(expiresIn) || expiresIn <= 0) {
    throw malformed("has no usable expires_in");
  }
  if (scope !== undefined && typeof scope !== "string") throw malformed("has a scope that is no text");
  return { accessToken, expiresIn, scopes: scope?.split(" ").filter((one) => one !== "") };
}

function malformed(defect: string): AuthorizationServerMalformed {
  return new AuthorizationServerMalformed(`The token endpoint: the answer ${defect}.`);
}
