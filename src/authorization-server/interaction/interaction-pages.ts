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

/** Renders the pages, with headers that restrict what browsers do with them. */
export function createInteractionPages(
  pages: Pages,
  formTargets: readonly string[],
  onFailure: (error: unknown) => void,
) {
  const { style, message = plainMessage } = pages;

  const form =
    (sealed: string) =>
    (content: Html): Html =>
      // "?" is the current URL without its query, whatever path a proxy uses.
      html`<form method="post" action="?" accept-charset="utf-8">
        <input type="hidden" name="interaction" value="${sealed}" />
        ${content}
      </form>`;

  const show = ({ answerTo }: AskedAuthorization, page: Page, status = 200): EndpointAnswer =>
    pageAnswer(status, page, {
      style,
      // Browsers also check redirects after a form; the last one goes to the client.
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

    /** A message page. If the program's page fails, a plain page. */
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

/** Validates the result of a page function. Throws if it is malformed: a promise, for example, would show an empty page. */
function readPage(answered: Page): Page {
  const { title, body, lang } = disown(answered) as Partial<Record<keyof Page, unknown>>;
  if (typeof title !== "string" || !(body instanceof Html) || (lang !== undefined && typeof lang !== "string")) {
    throw new Error("A page function returned no page: it needs a title, and a body created by html.");
  }
  return { title, body, ...(lang !== undefined && { lang }) };
}

function plainMessage({ text }: MessageView): Page {
  return { title: "Sign in", body: html`<main><p>${text}</p></main>` };
}

/** No caching, no framing (RFC 9700 §4.16), no referrer (RFC 9700 §4.2.4). */
const guarded = {
  "cache-control": "no-store",
  pragma: "no-cache",
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
} as const;

const markup = "text/html;charset=UTF-8";

/** What a page may do besides showing text. */
interface PagePermissions {
  /** CSS for the page. */
  readonly style?: string | undefined;
  /** Sites that its form may reach, including redirects, besides this one; `undefined`: any. */
  readonly formTargets?: readonly string[] | undefined;
}

/** Writes the complete document of a page. No script runs in it. */
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
 * Sends the backend's page that posts the response to the client (OAuth 2.0 Form Post Response Mode §2).
 *
 * Only its own script may run; without scripts the button does the same. `form-action` is not restricted, because the
 * client may redirect anywhere afterwards.
 */
export function formPostAnswer(body: string): EndpointAnswer {
  const policy = contentSecurityPolicy({ "script-src": formPostScriptSource });
  return { status: 200, headers: { ...guarded, "content-type": markup, "content-security-policy": policy }, body };
}

/** Redirects the browser with 303, so that it uses GET (RFC 9700 §4.12: never 307). */
export function redirectAnswer(location: string): EndpointAnswer {
  return { status: 303, headers: { ...guarded, location }, body: "" };
}

/** A URL as a source of a Content-Security-Policy: its origin, or its scheme if the policy cannot express the origin. */
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
