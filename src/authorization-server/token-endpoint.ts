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

/** The options of both endpoints for clients. */
export interface ClientEndpointOptions {
  /** The realm of the Basic challenge; the issuer is a good one. */
  readonly realm: string;
  readonly onBackendFailure?: OnBackendFailure;
  /** Called for each refused request, with the reason, which the client does not get. */
  readonly onRefusal?: OnClientRefusal;
}

/** The options of `tokenEndpoint`; `authenticateUser` only where the service has the password grant. */
export type TokenEndpointOptions = ClientEndpointOptions & {
  readonly backend: Pick<Operations, "authToken">;
} & (PasswordGrantOptions | { readonly authenticateUser?: undefined });

/** The options of `revocationEndpoint`. */
export type RevocationEndpointOptions = ClientEndpointOptions & {
  readonly backend: Pick<Operations, "authRevocation">;
};

/** Whom to answer, and how a client there is challenged. */
interface Asker {
  readonly usedHeader: boolean;
  readonly realm: string;
}

const answerOk = (body: string): EndpointAnswer => answer(200, body);
const answerBadRequest = (body: string): EndpointAnswer => answer(400, body);
const answerServerError = (body: string): EndpointAnswer => answer(500, body);
/** 401 demands a challenge (RFC 9110 §15.5.2), and only a client that used the header can answer one. */
const answerInvalidClient = (body: string, { usedHeader, realm }: Asker): EndpointAnswer =>
  usedHeader ? answer(401, body, { "www-authenticate": basicChallenge(realm) }) : answer(400, body);

type Answers<Action extends string> = Record<Action, (body: string, asker: Asker) => EndpointAnswer>;

/** What each action becomes (Authlete's API, RFC 6749 §5.1 and §5.2); PASSWORD is a question to us first. */
const tokenActions = {
  OK: answerOk,
  BAD_REQUEST: answerBadRequest,
  INVALID_CLIENT: answerInvalidClient,
  INTERNAL_SERVER_ERROR: answerServerError,
} satisfies Answers<Exclude<TokenResponse["action"], "PASSWORD">>;

/** What each action becomes (Authlete's API, RFC 7009 §2.2). */
const revocationActions = {
  OK: answerOk,
  BAD_REQUEST: answerBadRequest,
  INVALID_CLIENT: answerInvalidClient,
  INTERNAL_SERVER_ERROR: answerServerError,
} satisfies Answers<RevocationResponse["action"]>;

/**
 * The token endpoint (RFC 6749 §3.2): hands each request to the backend and turns its `action` into HTTP.
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
 * The revocation endpoint (RFC 7009 §2): the same, and an empty body on success.
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

/** The members in which the API takes what a client sent. */
interface ForwardedMembers {
  readonly parameters: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly clientCertificate?: string;
  readonly clientCertificatePath?: string[];
}

/**
 * Puts a client's request into the members of the API: the body as it came, Basic credentials form-decoded
 * (RFC 6749 §2.3.1), and the certificate of the connection. `undefined`: the Authorization header is unusable.
 */
function forwardedMembers(request: EndpointRequest): ForwardedMembers | undefined {
  const { authorization, clientCertificate, clientCertificatePath } = request;
  const basic = authorization === undefined ? undefined : readBasicCredentials(authorization, { formDecoded: true });
  // Without a user id the credentials are nobody's: half of them must not be looked for in the body.
  if (basic !== undefined && ("error" in basic || basic.userId === "")) return undefined;
  return {
    parameters: request.body,
    ...(basic !== undefined && { clientId: basic.userId, clientSecret: basic.password }),
    ...(clientCertificate !== undefined && { clientCertificate }),
    ...(clientCertificatePath !== undefined && { clientCertificatePath: [...clientCertificatePath] }),
  };
}

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
