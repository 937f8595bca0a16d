import type { UserInfoIssueResponse } from "../contract/auth-userinfo-issue.ts";
import type { UserInfoResponse } from "../contract/auth-userinfo.ts";
import type { Operations } from "../contract/operations.ts";
import { namesAccessToken, readBearerToken } from "../oauth/authorization-header.ts";
import { askBackend, onBehalfOf, tellFailure, tryLater, type OnBackendFailure } from "./ask-backend.ts";
import {
  answer,
  quotedRealm,
  refuseUnless,
  refuseUnlessFormBody,
  type Endpoint,
  type EndpointAnswer,
} from "./endpoint.ts";
import { tellRefusal, type OnClientRefusal } from "./tell-refusal.ts";
import { claimsAsJson, type ClaimsOfUser } from "./users.ts";

/** The options of `userInfoEndpoint`. */
export interface UserInfoEndpointOptions {
  readonly backend: Pick<Operations, "authUserinfo" | "authUserinfoIssue">;
  /** The realm of the Bearer challenge, for example the issuer. */
  readonly realm: string;
  readonly claims: ClaimsOfUser;
  readonly onBackendFailure?: OnBackendFailure;
  /** Called with the reason for each rejected request; the client does not learn it. */
  readonly onRefusal?: OnClientRefusal;
}

/** An error response has a challenge and no body (RFC 6750 §3). */
const challenged =
  (status: number) =>
  (challenge: string): EndpointAnswer =>
    answer(status, "", { "www-authenticate": challenge });

const refusals = {
  BAD_REQUEST: challenged(400),
  UNAUTHORIZED: challenged(401),
  FORBIDDEN: challenged(403),
  INTERNAL_SERVER_ERROR: challenged(500),
};

/** The response to each error (Authlete's API); on OK the claims are collected first. */
const userInfoRefusals = refusals satisfies Answers<Exclude<UserInfoResponse["action"], "OK">>;

const issueActions = {
  ...refusals,
  JSON: (body) => answer(200, body, { "content-type": "application/json;charset=UTF-8" }),
} satisfies Answers<UserInfoIssueResponse["action"]>;

type Answers<Action extends string> = Record<Action, (content: string) => EndpointAnswer>;

/**
 * Creates the userinfo endpoint (OpenID Connect Core §5.3). A bound token works only with its certificate.
 *
 * The token is taken from the Authorization header only (RFC 6750 §2.1).
 *
 * @example userInfoEndpoint({ backend, realm, claims: (subject, names) => table.claims(subject, names) })
 */
export function userInfoEndpoint(options: UserInfoEndpointOptions): Endpoint {
  const { backend, realm, claims, onBackendFailure, onRefusal } = options;
  const scheme = `Bearer ${quotedRealm(realm)}`;
  return async (request) => {
    const refusal = refuseUnless("GET, HEAD, POST", request);
    if (refusal !== undefined) return refusal;
    const bearer = readBearerToken(request.authorization);
    if (bearer.kind === "none") return challenged(401)(scheme);
    // A request uses one method (RFC 6750 §2). In another charset, the form cannot be searched for a token.
    const noForm = request.body === "" ? undefined : refuseUnlessFormBody(request);
    if (noForm?.status === 415) return noForm;
    const inBody = noForm === undefined && namesAccessToken(request.body);
    const twice = inBody || request.tokenInQuery === true;
    if (bearer.kind === "malformed" || twice) return challenged(400)(`${scheme}, error="invalid_request"`);
    const { token } = bearer;
    const { clientCertificate } = request;
    const issue = async ({ subject = "", claims: asked = [], consentedClaims }: UserInfoResponse) => {
      const names = asked.filter((name) => consentedClaims?.includes(name) ?? true);
      let values: string | undefined;
      try {
        values = await claimsAsJson(claims, subject, names);
      } catch (error) {
        tellFailure(onBackendFailure, error);
        return tryLater();
      }
      return askBackend(
        () =>
          backend.authUserinfoIssue({ token, ...(values !== undefined && { claims: values }) }, onBehalfOf(request)),
        onBackendFailure,
        (response) => {
          tellRefusal(onRefusal, "userinfo", request, response);
          return issueActions[response.action](response.responseContent ?? "");
        },
      );
    };
    return askBackend(
      () =>
        backend.authUserinfo(
          { token, ...(clientCertificate !== undefined && { clientCertificate }) },
          onBehalfOf(request),
        ),
      onBackendFailure,
      (response) => {
        tellRefusal(onRefusal, "userinfo", request, response);
        return response.action === "OK"
          ? issue(response)
          : userInfoRefusals[response.action](response.responseContent ?? "");
      },
    );
  };
}
