import type { AuthorizationFailRequest, AuthorizationFailResponse } from "../../contract/auth-authorization-fail.ts";
import type { AuthorizationIssueRequest, AuthorizationIssueResponse } from "../../contract/auth-authorization-issue.ts";
import type { Operations } from "../../contract/operations.ts";
import type { EndpointAnswer } from "../endpoint.ts";
import { formPostAnswer, redirectAnswer } from "./page-answer.ts";
import type { InteractionPages } from "./interaction-pages.ts";

type Ended = AuthorizationIssueResponse | AuthorizationFailResponse;

/** The ticket was used already, has expired, or is not known any more: not the browser's fault, and not ours. */
const ticketIsOver = /^A0(41|59)[23]\d\d$|^A045304$/;

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
    if (ticketIsOver.test(resultCode)) return pages.message("finished", 400);
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
