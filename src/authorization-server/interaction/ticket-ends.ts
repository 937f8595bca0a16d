import type { AuthorizationFailRequest, AuthorizationFailResponse } from "../../contract/auth-authorization-fail.ts";
import type { AuthorizationIssueRequest, AuthorizationIssueResponse } from "../../contract/auth-authorization-issue.ts";
import type { AuthorizationTicketInfoResponse } from "../../contract/auth-authorization-ticket-info.ts";
import type { Operations } from "../../contract/operations.ts";
import type { EndpointAnswer } from "../endpoint.ts";
import { formPostAnswer, redirectAnswer, type InteractionPages } from "./interaction-pages.ts";

type Ended = AuthorizationIssueResponse | AuthorizationFailResponse;

/** The ticket is used, unknown or expired, or the client may no longer have what it requested: not a fault. */
const ticketIsOver: ReadonlySet<string> = new Set(
  "A041202 A041203 A041301 A045302 A059202 A059203 A059301 A059302".split(" "),
);

/** The two ways to end an interaction; each uses up its ticket. */
export interface TicketEnds {
  /** `undefined` while the ticket is usable; otherwise a page that explains why it is not. */
  readonly over: (ticket: string) => Promise<EndpointAnswer | undefined>;
  readonly issue: (request: AuthorizationIssueRequest) => Promise<EndpointAnswer>;
  readonly fail: (request: AuthorizationFailRequest) => Promise<EndpointAnswer>;
}

/** Ends interactions through the backend, and turns its `action` into HTTP. */
export function createTicketEnds(
  backend: Pick<Operations, "authAuthorizationTicketInfo" | "authAuthorizationIssue" | "authAuthorizationFail">,
  pages: InteractionPages,
  onUnexpected: (error: unknown) => void,
): TicketEnds {
  const unexpected = ({ resultMessage }: { readonly resultMessage: string }): EndpointAnswer => {
    onUnexpected(new Error(resultMessage));
    return pages.message("unavailable", 500);
  };
  /** A page for the user, for errors that cannot be sent to the client. */
  const tell = ({ resultCode, resultMessage }: Ended): EndpointAnswer => {
    return ticketIsOver.has(resultCode) ? pages.message("finished", 400) : unexpected({ resultMessage });
  };
  const toAnswer = {
    LOCATION: ({ responseContent = "" }) => redirectAnswer(responseContent),
    FORM: ({ responseContent = "" }) => formPostAnswer(responseContent),
    BAD_REQUEST: tell,
    INTERNAL_SERVER_ERROR: tell,
  } satisfies Record<Ended["action"], (response: Ended) => EndpointAnswer>;

  const relay = (response: Ended): EndpointAnswer => toAnswer[response.action](response);
  const states = {
    OK: () => undefined,
    NOT_FOUND: () => pages.message("finished", 400),
    CALLER_ERROR: unexpected,
    AUTHLETE_ERROR: unexpected,
  } satisfies Record<
    AuthorizationTicketInfoResponse["action"],
    (response: AuthorizationTicketInfoResponse) => EndpointAnswer | undefined
  >;

  return {
    over: async (ticket) => {
      const response = await backend.authAuthorizationTicketInfo({ ticket });
      return states[response.action](response);
    },
    issue: async (request) => relay(await backend.authAuthorizationIssue(request)),
    fail: async (request) => relay(await backend.authAuthorizationFail(request)),
  };
}
