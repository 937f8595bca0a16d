import type { AuthorizationFailRequest, AuthorizationFailResponse } from "../../contract/auth-authorization-fail.ts";
import type { AuthorizationIssueRequest, AuthorizationIssueResponse } from "../../contract/auth-authorization-issue.ts";
import type { Operations } from "../../contract/operations.ts";
import type { EndpointAnswer } from "../endpoint.ts";
import { formPostAnswer, redirectAnswer } from "./page-answer.ts";
import type { InteractionPages } from "./interaction-pages.ts";

type Ended = AuthorizationIssueResponse | AuthorizationFailResponse;

/** The ticket was used, is not known, has expired, or the client may no longer have what it asked for: nobody's fault. */
const ticketIsOver: ReadonlySet<string> = new Set(
  "A041202 A041203 A041301 A045302 A059202 A059203 A059301 A059302".split(" "),
);

/** The two ways in which an interaction ends; each uses up its ticket. */
export interface TicketEnds {
  readonly issue: (request: AuthorizationIssueRequest) => Promise<EndpointAnswer>;
  readonly fail: (request: AuthorizationFailRequest) => Promise<EndpointAnswer>;
}

/** Lets the backend end an interaction, and turns its `action` into HTTP. */
export function createTicketEnds(
  backend: Pick<Operations, "authAuthorizationIssue" | "authAuthorizationFail">,
  pages: InteractionPages,
  onUnexpected: (error: unknown) => void,
): TicketEnds {
  /** Somebody sits in front of a page: what is no answer for the client is told to them. */
  const tell = ({ resultCode, resultMessage }: Ended): EndpointAnswer => {
    if (ticketIsOver.has(resultCode)) return pages.message("finished", 400);
    onUnexpected(new Error(resultMessage));
    return pages.message("unavailable", 500);
  };
  const toAnswer = {
    LOCATION: ({ responseContent = "" }) => redirectAnswer(responseContent),
    FORM: ({ responseContent = "" }) => formPostAnswer(responseContent),
    BAD_REQUEST: tell,
    INTERNAL_SERVER_ERROR: tell,
  } satisfies Record<Ended["action"], (response: Ended) => EndpointAnswer>;

  const relay = (response: Ended): EndpointAnswer => toAnswer[response.action](response);
  return {
    issue: async (request) => relay(await backend.authAuthorizationIssue(request)),
    fail: async (request) => relay(await backend.authAuthorizationFail(request)),
  };
}
