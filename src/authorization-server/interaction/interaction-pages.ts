import { disown } from "../../serving/call-harmlessly.ts";
import type { EndpointAnswer } from "../endpoint.ts";
import { html, Html } from "./html.ts";
import { pageAnswer } from "./page-answer.ts";
import type { LoginView, MessageView, Page, Pages } from "./pages.ts";
import type { AskedAuthorization } from "./sealed-state.ts";

const messages: Readonly<Record<MessageView["reason"], string>> = {
  finished: "This sign-in is over already. Please go back to the application and start again if you need to.",
  not_usable:
    "This page has expired or was not made for this browser. Please go back to the application and start again.",
  unavailable: "This is not possible at the moment. Please try again later.",
};

/** Fills the pages, and says in their headers what a browser may do with them. */
export function createInteractionPages(
  pages: Pages,
  formTargets: readonly string[],
  onFailure: (error: unknown) => void,
) {
  const { style, message = plainMessage } = pages;

  const form =
    (sealed: string) =>
    (content: Html): Html =>
      // "?" is this address without its query, wherever a proxy has put it.
      html`<form method="post" action="?" accept-charset="utf-8">
        <input type="hidden" name="interaction" value="${sealed}" />
        ${content}
      </form>`;

  const show = ({ answerTo }: AskedAuthorization, page: Page, status = 200): EndpointAnswer =>
    pageAnswer(status, page, {
      style,
      // Browsers check the redirects that follow a form as well: the last one leads to the client.
      formTargets: answerTo === undefined ? undefined : [answerTo, ...formTargets],
    });

  return {
    login: (asked: AskedAuthorization, sealed: string, said: Pick<LoginView, "wrongCredentials" | "retryAfter">) => {
      const { client, uiLocales, loginHint } = asked;
      const hint = loginHint === undefined ? {} : { loginHint };
      const page = readPage(pages.login({ client, uiLocales, ...hint, ...said, form: form(sealed) }));
      if (said.retryAfter === undefined) return show(asked, page);
      const answer = show(asked, page, 429);
      return { ...answer, headers: { ...answer.headers, "retry-after": String(said.retryAfter) } };
    },

    consent: (asked: AskedAuthorization, sealed: string, subject: string): EndpointAnswer => {
      const { client, uiLocales, scopes, demands } = asked;
      const { claims, resources } = demands;
      return show(
        asked,
        readPage(pages.consent({ client, uiLocales, subject, scopes, claims, resources, form: form(sealed) })),
      );
    },

    /** A message page that always works: a plain page if yours fails. */
    message: (reason: MessageView["reason"], status: number): EndpointAnswer => {
      const view = { reason, text: messages[reason] };
      try {
        return pageAnswer(status, readPage(message(view)), { style, formTargets: [] });
      } catch (error) {
        onFailure(error);
        return pageAnswer(status, plainMessage(view), { formTargets: [] });
      }
    },
  };
}

export type InteractionPages = ReturnType<typeof createInteractionPages>;

/** What a page's function answers. Throws for what is no page: a promise, for example, would be shown as an empty one. */
function readPage(answered: Page): Page {
  const { title, body, lang } = disown(answered) as Partial<Record<keyof Page, unknown>>;
  if (typeof title !== "string" || !(body instanceof Html) || (lang !== undefined && typeof lang !== "string")) {
    throw new Error("A page's function answered no page: it needs a title, and a body made by html.");
  }
  return { title, body, ...(lang !== undefined && { lang }) };
}

function plainMessage({ text }: MessageView): Page {
  return { title: "Sign in", body: html`<main><p>${text}</p></main>` };
}
