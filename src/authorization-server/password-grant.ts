import type { TokenFailResponse } from "../contract/auth-token-fail.ts";
import type { TokenIssueResponse } from "../contract/auth-token-issue.ts";
import type { TokenResponse } from "../contract/auth-token.ts";
import type { Operations } from "../contract/operations.ts";
import {
  askBackend,
  onBehalfOf,
  serverError,
  tellFailure,
  tooSoon,
  tryLater,
  type OnBackendFailure,
} from "./ask-backend.ts";
import { answer, type EndpointAnswer, type EndpointRequest } from "./endpoint.ts";
import { tellRefusal, type OnClientRefusal } from "./tell-refusal.ts";
import { authenticatedBy, type AuthenticateUser } from "./users.ts";

/** What the token endpoint needs besides for the password grant (RFC 6749 §4.3). */
export interface PasswordGrantOptions {
  readonly backend: Pick<Operations, "authTokenIssue" | "authTokenFail">;
  readonly authenticateUser: AuthenticateUser;
}

const statusOf = { OK: 200, BAD_REQUEST: 400, INTERNAL_SERVER_ERROR: 500 } satisfies Record<
  TokenIssueResponse["action"] | TokenFailResponse["action"],
  number
>;

/** Checks the user's name and password, and lets the backend issue or refuse (Authlete's API). */
export async function answerPasswordGrant(
  options: (PasswordGrantOptions | { readonly authenticateUser?: undefined }) & {
    readonly onBackendFailure?: OnBackendFailure;
    readonly onRefusal?: OnClientRefusal;
  },
  { username = "", password = "", ticket = "", clientId }: TokenResponse,
  request: EndpointRequest,
): Promise<EndpointAnswer> {
  const { onBackendFailure } = options;
  if (options.authenticateUser === undefined) {
    const reason = "The service allows the password grant, but the token endpoint has no authenticateUser.";
    tellFailure(onBackendFailure, new Error(reason));
    return serverError();
  }
  const { backend, authenticateUser } = options;
  const { address } = request;
  let user: Awaited<ReturnType<AuthenticateUser>>;
  try {
    user = await authenticatedBy(authenticateUser, username, password, {
      ...(address !== undefined && { address }),
      ...(typeof clientId === "number" && { clientId: String(clientId) }),
    });
  } catch (error) {
    tellFailure(onBackendFailure, error);
    return tryLater();
  }
  // The ticket is not failed but left to expire: whether the password is wrong is unknown.
  if (user !== undefined && "retryAfter" in user) return tooSoon(user);
  return askBackend<TokenIssueResponse | TokenFailResponse>(
    () =>
      user === undefined
        ? backend.authTokenFail({ ticket, reason: "INVALID_RESOURCE_OWNER_CREDENTIALS" }, onBehalfOf(request))
        : backend.authTokenIssue({ ticket, subject: user.subject }, onBehalfOf(request)),
    onBackendFailure,
    (response) => {
      tellRefusal(options.onRefusal, "token", request, response);
      return answer(statusOf[response.action], response.responseContent ?? "");
    },
  );
}
