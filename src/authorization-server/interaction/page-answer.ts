import { createHash } from "node:crypto";
import { formPostScriptSource } from "../../oauth/authorization-response.ts";
import type { EndpointAnswer } from "../endpoint.ts";
import { html, Html } from "./html.ts";
import type { Page } from "./pages.ts";

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
export interface PagePermissions {
  /** CSS that is put into the page. */
  readonly style?: string | undefined;
  /** Where its form may lead, redirects included, beside ourselves; `undefined`: anywhere. */
  readonly formTargets?: readonly string[] | undefined;
}

/** The whole document of a page, in which no script runs. */
export function pageAnswer(
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
