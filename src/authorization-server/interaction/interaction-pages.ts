import { createHash } from "node:crypto";
import { formPostScriptSource } from "../../oauth/authorization-response.ts";
import { disown } from "../../serving/call-harmlessly.ts";
import type { EndpointAnswer } from "../endpoint.ts";
import type { AskedAuthorization } from "./browser-state.ts";
import { html, Html } from "./html.ts";
import type { Page, LoginView, MessageView, Pages } from "./pages.ts";

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

/** Nothing is kept, nothing is framed (RFC 9700 §4.16), and no address is told to the next site (RFC 9700 §4.2.4). */
const guarded = {
  "cache-control": "no-store",
  pragma: "no-cache",
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
} as const;

const markup = "text/html;charset=UTF-8";

/** What a page may do beyond showing text. */
interface PagePermissions {
  /** CSS that is put into the page. */
  readonly style?: string | undefined;
  /** Where its form may lead, redirects included, beside ourselves; `undefined`: anywhere. */
  readonly formTargets?: readonly string[] | undefined;
}

/** The whole document of a page, in which no script runs. */
function pageAnswer(
  status: number,
  { title, body, lang = "en" }: Page,
  { style, formTargets }: PagePermissions = {},
): EndpointAnswer {
  const styled = style === undefined || style === "" ? undefined : new Html(`<style>${style}</style>`);
  const document = html`<!doctype html>
    <html lang="${lang}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${styled}
      </head>
      <body>
        ${body}
      </body>
    </html> `;
  const policy = contentSecurityPolicy({
    "style-src": styled === undefined ? undefined : hashOf(style ?? ""),
    "form-action": formTargets === undefined ? undefined : ["'self'", ...formTargets].join(" "),
  });
  const headers = { ...guarded, "content-type": markup, "content-security-policy": policy };
  return { status, headers, body: document.toString() };
}

/**
 * A page of the backend that posts the answer to the client by itself (OAuth 2.0 Form Post Response Mode §2).
 *
 * Its one script may run, and no other; without scripts its button does the same. Where the client leads on to after
 * the post is the client's affair, so `form-action` says nothing.
 */
export function formPostAnswer(body: string): EndpointAnswer {
  const policy = contentSecurityPolicy({ "script-src": formPostScriptSource });
  return { status: 200, headers: { ...guarded, "content-type": markup, "content-security-policy": policy }, body };
}

/** Leads the browser on, with GET whatever it did before (RFC 9700 §4.12: never 307). */
export function redirectAnswer(location: string): EndpointAnswer {
  return { status: 303, headers: { ...guarded, location }, body: "" };
}

/** A URL as a source of a Content-Security-Policy: its origin, or its scheme where an origin cannot be written so. */
export function sourceOf(url: string): string | undefined {
  const parsed = URL.parse(url);
  if (parsed === null) return undefined;
  const { protocol, origin } = parsed;
  return /^https?:\/\/[A-Za-z0-9.-]+(:\d+)?$/.test(origin) ? origin : protocol;
}

function contentSecurityPolicy(directives: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(directives).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${value}`],
  );
  return ["default-src 'none'", ...given, "base-uri 'none'", "frame-ancestors 'none'"].join("; ");
}

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
