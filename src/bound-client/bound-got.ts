import { type ClientRequest, request as httpRequest } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import got, { type AfterResponseHook, type BeforeErrorHook, type Got, type RequestFunction } from "got";
import type { Presenter, Outgoing } from "./presenter.ts";
import { isTokenRefusal } from "./repeating-handler.ts";
import { AuthorizationServerMalformed, AuthorizationServerUnavailable, TokenRequestRefused } from "./token-errors.ts";
import type { TargetOf } from "./token-targets.ts";

/** Marks the context of a repeated request. A string, because got does not copy symbols. */
const repeated = "certbound: with another token";

/**
 * Creates a got instance whose requests present the certificate, and the token to resource servers.
 *
 * Both are added when got passes the request to Node, because its destination is then final: got itself, its redirects,
 * hooks and errors never see the token. A request with its own Authorization header gets no token. After a 401 with
 * `invalid_token` the request is repeated once with a new token, if its body can be sent again.
 */
export function createBoundGot(outgoing: Outgoing): Got {
  return got.extend({
    request: presenting(outgoing),
    hooks: { afterResponse: [repeatOnce(outgoing.targetOf)], beforeError: [ownErrors] },
  });
}

function presenting({ current, targetOf, obtain }: Outgoing): RequestFunction {
  return (url, options) => {
    const native = options as RequestOptions;
    if (url.protocol !== "https:") return httpRequest(url, native);
    const target = hasAuthorization(native.headers) ? undefined : targetOf(url.origin);
    if (target === undefined) return httpsRequest(url, { ...native, agent: current().agent });
    return obtain(target).then(({ presenter, accessToken }) => {
      const headers = { ...(native.headers as Record<string, string>), authorization: `Bearer ${accessToken}` };
      const request = httpsRequest(url, { ...native, headers, agent: presenter.agent });
      forgetWhenRefused(request, presenter, accessToken);
      return request;
    });
  };
}

function hasAuthorization(headers: RequestOptions["headers"]): boolean {
  return Object.entries(headers ?? {}).some(
    ([name, value]) => name.toLowerCase() === "authorization" && value !== undefined,
  );
}

function forgetWhenRefused(request: ClientRequest, presenter: Presenter, accessToken: string): void {
  request.once("response", ({ statusCode, headers }) => {
    if (isTokenRefusal(statusCode, headers["www-authenticate"])) presenter.tokens.forget(accessToken);
  });
}

function repeatOnce(targetOf: TargetOf): AfterResponseHook {
  return (response, retryWithMergedOptions) => {
    const { options } = response.request;
    if (!isTokenRefusal(response.statusCode, response.headers["www-authenticate"])) return response;
    if (options.context[repeated] === true || hasAuthorization(options.headers) || !isRepeatable(options.body))
      return response;
    if (!(options.url instanceof URL) || targetOf(options.url.origin) === undefined) return response;
    return retryWithMergedOptions({ context: { [repeated]: true }, preserveHooks: true });
  };
}

function isRepeatable(body: unknown): boolean {
  return body === undefined || typeof body === "string" || ArrayBuffer.isView(body);
}

/** Errors of the token request reach the caller unwrapped, not as the `cause` of got's error. */
const ownErrors: BeforeErrorHook = (error) => {
  const { cause } = error;
  const own =
    cause instanceof TokenRequestRefused ||
    cause instanceof AuthorizationServerUnavailable ||
    cause instanceof AuthorizationServerMalformed;
  return own ? cause : error;
};
