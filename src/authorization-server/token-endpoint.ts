import type { RevocationResponse } from "../contract/auth-revocation.ts";
import type { TokenFailResponse } from "../contract/auth-token-fail.ts";
import type { TokenIssueResponse } from "../contract/auth-token-issue.ts";
import type { TokenResponse, TokenRequest } from "../contract/auth-token.ts";
import type { Operations, CallOptions } from "../contract/operations.ts";
import { readBasicCredentials } from "../oauth/authorization-header.ts";
import {
  askBackend,
  onBehalfOf,
  serverError,
  tellFailure,
  tooSoon,
  tryLater,
  type OnBackendFailure,
} from "./ask-backend.ts";
import {
  answer,
  type EndpointAnswer,
  type EndpointRequest,
  type Endpoint,
  oauthErrorAnswer,
  quotedRealm,
  refuseUnlessForm,
} from "./endpoint.ts";
import { tellRefusal, type OnClientRefusal } from "./tell-refusal.ts";
import { authenticatedBy, type AuthenticateUser } from "./users.ts";

/** Options that the token and revocation endpoints share. */
export interface ClientEndpointOptions {
  /** The realm of the Basic challenge, for example the issuer. */
  readonly realm: string;
  readonly onBackendFailure?: OnBackendFailure;
  /** Called with the reason for each rejected request; the client does not learn it. */
  readonly onRefusal?: OnClientRefusal;
}

/** The options of `tokenEndpoint`; `authenticateUser` is for services with the password grant only. */
export type TokenEndpointOptions = ClientEndpointOptions & {
  readonly backend: Pick<Operations, "authToken">;
} & (PasswordGrantOptions | { readonly authenticateUser?: undefined });

/** The options of `revocationEndpoint`. */
export type RevocationEndpointOptions = ClientEndpointOptions & {
  readonly backend: Pick<Operations, "authRevocation">;
};

/** What the response depends on besides the backend's answer. */
interface Asker {
  readonly usedHeader: boolean;
  readonly realm: string;
}

const answerOk = (body: string): EndpointAnswer => answer(200, body);
const answerBadRequest = (body: string): EndpointAnswer => answer(400, body);
const answerServerError = (body: string): EndpointAnswer => answer(500, body);
/** 401 requires a challenge (RFC 9110 §15.5.2), which only a client that used the header can answer. */
const answerInvalidClient = (body: string, { usedHeader, realm }: Asker): EndpointAnswer =>
  usedHeader ? answer(401, body, { "www-authenticate": basicChallenge(realm) }) : answer(400, body);

type Answers<Action extends string> = Record<Action, (body: string, asker: Asker) => EndpointAnswer>;

/** The response to each action (Authlete's API, RFC 6749 §5.1 and §5.2); PASSWORD is handled separately. */
const tokenActions = {
  OK: answerOk,
  BAD_REQUEST: answerBadRequest,
  INVALID_CLIENT: answerInvalidClient,
  INTERNAL_SERVER_ERROR: answerServerError,
} satisfies Answers<Exclude<TokenResponse["action"], "PASSWORD">>;

/** The response to each action (Authlete's API, RFC 7009 §2.2). */
const revocationActions = {
  OK: answerOk,
  BAD_REQUEST: answerBadRequest,
  INVALID_CLIENT: answerInvalidClient,
  INTERNAL_SERVER_ERROR: answerServerError,
} satisfies Answers<RevocationResponse["action"]>;

/**
 * Creates the token endpoint (RFC 6749 §3.2): it forwards each request to the backend and turns `action` into HTTP.
 *
 * @example const token = tokenEndpoint({ backend, realm: "https://as.example.com" });
 */
export function tokenEndpoint(options: TokenEndpointOptions): Endpoint {
  return clientEndpoint(
    options,
    "token",
    (members: TokenRequest, how) => options.backend.authToken(members, how),
    (response, asker, request) =>
      response.action === "PASSWORD"
        ? answerPasswordGrant(options, response, request)
        : tokenActions[response.action](response.responseContent ?? "", asker),
  );
}

/**
 * Creates the revocation endpoint (RFC 7009 §2), which works the same and has an empty body on success.
 *
 * @example const revocation = revocationEndpoint({ backend, realm: "https://as.example.com" });
 */
export function revocationEndpoint(options: RevocationEndpointOptions): Endpoint {
  return clientEndpoint(
    options,
    "revocation",
    (members, how) => options.backend.authRevocation(members, how),
    ({ action, responseContent }, asker) => revocationActions[action](responseContent ?? "", asker),
  );
}

type Members = NonNullable<ReturnType<typeof forwardedMembers>>;

function clientEndpoint<Response extends TokenResponse | RevocationResponse>(
  { realm, onBackendFailure, onRefusal }: ClientEndpointOptions,
  name: "token" | "revocation",
  ask: (members: Members, how: CallOptions) => Promise<Response>,
  toAnswer: (response: Response, asker: Asker, request: EndpointRequest) => EndpointAnswer | Promise<EndpointAnswer>,
): Endpoint {
  return async (request) => {
    const refusal = refuseUnlessForm(request);
    if (refusal !== undefined) return refusal;
    const members = forwardedMembers(request);
    if (members === undefined) {
      const resultMessage = "The Authorization header does not have the client's credentials.";
      tellRefusal(onRefusal, name, request, { action: "INVALID_CLIENT", resultMessage });
      const challenge = { "www-authenticate": basicChallenge(realm) };
      return oauthErrorAnswer(401, "invalid_client", "The client could not be authenticated.", challenge);
    }
    return askBackend(
      () => ask(members, onBehalfOf(request)),
      onBackendFailure,
      (response) => {
        tellRefusal(onRefusal, name, request, response);
        return toAnswer(response, { usedHeader: members.clientId !== undefined, realm }, request);
      },
    );
  };
}

function basicChallenge(realm: string): string {
  return `Basic ${quotedRealm(realm)}, charset="UTF-8"`;
}

/** A client's request as members of the API. */
interface ForwardedMembers {
  readonly parameters: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly clientCertificate?: string;
  readonly clientCertificatePath?: string[];
}

/**
 * Converts a client's request to members of the API: the raw body, Basic credentials form-decoded (RFC 6749 §2.3.1), and
 * the certificate of the connection. `undefined` if the Authorization header is unusable.
 */
function forwardedMembers(request: EndpointRequest): ForwardedMembers | undefined {
  const { authorization, clientCertificate, clientCertificatePath } = request;
  const basic = authorization === undefined ? undefined : readBasicCredentials(authorization, { formDecoded: true });
  // Without a user id, the client id must not be taken from the body instead.
  if (basic !== undefined && ("error" in basic || basic.userId === "")) return undefined;
  return {
    parameters: request.body,
    ...(basic !== undefined && { clientId: basic.userId, clientSecret: basic.password }),
    ...(clientCertificate !== undefined && { clientCertificate }),
    ...(clientCertificatePath !== undefined && { clientCertificatePath: [...clientCertificatePath] }),
  };
}

/** What the token endpoint needs for the password grant in addition (RFC 6749 §4.3). */
export interface PasswordGrantOptions {
  readonly backend: Pick<Operations, "authTokenIssue" | "authTokenFail">;
  readonly authenticateUser: AuthenticateUser;
}

const statusOf = { OK: 200, BAD_REQUEST: 400, INTERNAL_SERVER_ERROR: 500 } satisfies Record<
  TokenIssueResponse["action"] | TokenFailResponse["action"],
  number
>;

/** Checks the user's name and password, then has the backend issue tokens or an error (Authlete's API). */
async function answerPasswordGrant(
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
  // The ticket is left to expire, not failed, because the password was not checked.
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
