import type { IncomingMessage } from "node:http";
import { ApiError } from "../../contract/api-error.ts";
import type { ApiCallerCredentials } from "../../contract/operation.ts";
import { readBasicCredentials, readBearerToken } from "../../oauth/authorization-header.ts";
import { bearerChallenge } from "../../oauth/challenge.ts";

const realm = "certbound";

/** The WWW-Authenticate of a 401 (RFC 7617 §2, RFC 6750 §3); `refused`: the credentials were wrong. */
export function apiChallenge(shape: "v2" | "v3", refused: boolean): string {
  if (shape === "v2") return `Basic realm="${realm}", charset="UTF-8"`;
  return bearerChallenge({ realm, error: refused ? "invalid_token" : undefined });
}

/**
 * Reads the caller's credentials, as the path's shape demands (Authlete's API): Basic in v2, Bearer in v3.
 *
 * Throws {@link ApiError}: 401 `A001202` without an Authorization header, 400 `A001203` when it is malformed, of
 * another scheme, or repeated.
 *
 * @example readApiCaller(request, "v3", 3693555439)
 */
export function readApiCaller(request: IncomingMessage, shape: "v2"): ApiCallerCredentials;
export function readApiCaller(request: IncomingMessage, shape: "v3", serviceId: number): ApiCallerCredentials;
export function readApiCaller(request: IncomingMessage, shape: "v2" | "v3", serviceId = 0): ApiCallerCredentials {
  const authorization = authorizationOf(request);
  if (authorization === undefined) {
    throw new ApiError(401, "A001202", "The Authorization header is missing.", {
      headers: { "WWW-Authenticate": apiChallenge(shape, false) },
    });
  }
  const credentials = shape === "v2" ? readBasic(authorization) : readBearer(authorization, serviceId);
  if (credentials === undefined) {
    throw new ApiError(400, "A001203", `The Authorization header is not one ${expected[shape]}.`);
  }
  return credentials;
}

const expected = {
  v2: "of the scheme Basic with a service's API key and secret",
  v3: "of the scheme Bearer with a service access token",
};

/** `headers.authorization` is the first of several headers; another program may have used another one. */
function authorizationOf({ headers, rawHeaders }: IncomingMessage): string | undefined {
  let found = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 13 && name.toLowerCase() === "authorization") found++;
  }
  return found > 1 ? "" : headers.authorization;
}

function readBasic(authorization: string): ApiCallerCredentials | undefined {
  const basic = readBasicCredentials(authorization, { formDecoded: false });
  return "error" in basic ? undefined : { scheme: "basic", apiKey: basic.userId, apiSecret: basic.password };
}

function readBearer(authorization: string, serviceId: number): ApiCallerCredentials | undefined {
  const bearer = readBearerToken(authorization);
  return bearer.kind === "token" ? { scheme: "bearer", serviceId, accessToken: bearer.token } : undefined;
}
