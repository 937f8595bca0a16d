import type { TokenResponse } from "../contract/auth-token.ts";
import type { Operations } from "../contract/operations.ts";
import { askBackend, type OnBackendFailure } from "./ask-backend.ts";
import { forwardedMembers } from "./client-credentials.ts";
import { answer, errorAnswer, refuseUnlessForm, type Endpoint, type EndpointAnswer } from "./endpoint.ts";

/** What the client endpoints are made of. */
export interface ClientEndpointOptions {
  readonly backend: Pick<Operations, "authToken" | "authRevocation">;
  /** The realm of the Basic challenge; the issuer is a good one. */
  readonly realm: string;
  readonly onBackendFailure?: OnBackendFailure;
}

type ClientAction = TokenResponse["action"];
type ToAnswer = (body: string, usedHeader: boolean, realm: string) => EndpointAnswer;

/** What each action becomes (Authlete's API, RFC 6749 §5.1 and §5.2). */
const clientActions = {
  OK: (body) => answer(200, body),
  BAD_REQUEST: (body) => answer(400, body),
  // 401 demands a challenge (RFC 9110 §15.5.2), and only a client that used the header can answer one.
  INVALID_CLIENT: (body, usedHeader, realm) =>
    usedHeader ? answer(401, body, { "www-authenticate": basicChallenge(realm) }) : answer(400, body),
  PASSWORD: () => errorAnswer(500, "server_error", "The request could not be processed."),
  INTERNAL_SERVER_ERROR: (body) => answer(500, body),
} satisfies Record<ClientAction, ToAnswer>;

/**
 * The token endpoint (RFC 6749 §3.2): hands each request to the backend and turns its `action` into HTTP.
 *
 * @example const token = tokenEndpoint({ backend, realm: "https://as.example.com" });
 */
export function tokenEndpoint(options: ClientEndpointOptions): Endpoint {
  return clientEndpoint(options, (members) => options.backend.authToken(members));
}

/**
 * The revocation endpoint (RFC 7009 §2): the same, and an empty body on success.
 *
 * @example const revocation = revocationEndpoint({ backend, realm: "https://as.example.com" });
 */
export function revocationEndpoint(options: ClientEndpointOptions): Endpoint {
  return clientEndpoint(options, (members) => options.backend.authRevocation(members));
}

type Members = NonNullable<ReturnType<typeof forwardedMembers>>;

function clientEndpoint(
  { realm, onBackendFailure }: ClientEndpointOptions,
  ask: (members: Members) => Promise<{ action: ClientAction; responseContent?: string | undefined }>,
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
      ({ action, responseContent }) =>
        clientActions[action](responseContent ?? "", members.clientId !== undefined, realm),
    );
  };
}

function basicChallenge(realm: string): string {
  return `Basic realm="${realm.replace(/["\\]/g, "")}", charset="UTF-8"`;
}
