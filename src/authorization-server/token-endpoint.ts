import type { RevocationResponse } from "../contract/auth-revocation.ts";
import type { TokenRequest, TokenResponse } from "../contract/auth-token.ts";
import type { Operations } from "../contract/operations.ts";
import { askBackend, type OnBackendFailure } from "./ask-backend.ts";
import { forwardedMembers } from "./client-credentials.ts";
import { answer, errorAnswer, quotedRealm, refuseUnlessForm, type Endpoint, type EndpointAnswer } from "./endpoint.ts";
import { answerPasswordGrant, type PasswordGrantOptions } from "./password-grant.ts";

/** The options of both endpoints for clients. */
export interface ClientEndpointOptions {
  /** The realm of the Basic challenge; the issuer is a good one. */
  readonly realm: string;
  readonly onBackendFailure?: OnBackendFailure;
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
  readonly address: string | undefined;
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
    (members: TokenRequest) => options.backend.authToken(members),
    (response, asker) =>
      response.action === "PASSWORD"
        ? answerPasswordGrant(options, response, asker.address)
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
    (members) => options.backend.authRevocation(members),
    ({ action, responseContent }, asker) => revocationActions[action](responseContent ?? "", asker),
  );
}

type Members = NonNullable<ReturnType<typeof forwardedMembers>>;

function clientEndpoint<Response>(
  { realm, onBackendFailure }: ClientEndpointOptions,
  ask: (members: Members) => Promise<Response>,
  toAnswer: (response: Response, asker: Asker) => EndpointAnswer | Promise<EndpointAnswer>,
): Endpoint {
  return async (request) => {
    const refusal = refuseUnlessForm(request);
    if (refusal !== undefined) return refusal;
    const members = forwardedMembers(request);
    if (members === undefined) {
      const challenge = { "www-authenticate": basicChallenge(realm) };
      return errorAnswer(401, "invalid_client", "The client could not be authenticated.", challenge);
    }
    return askBackend(
      () => ask(members),
      onBackendFailure,
      (response) => toAnswer(response, { usedHeader: members.clientId !== undefined, address: request.address, realm }),
    );
  };
}

function basicChallenge(realm: string): string {
  return `Basic ${quotedRealm(realm)}, charset="UTF-8"`;
}
