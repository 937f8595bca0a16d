import { send, type HttpAnswer } from "../support/https-request.ts";

/** A user at a browser without scripts, who types and clicks what a test says. */
export interface PlainBrowser {
  /** Follows a link; an answer that leads on within the site is followed, too. */
  readonly open: (url: string) => Promise<BrowserPage>;
}

/** A page with at most one form, or the address that the browser was sent to outside of the site. */
interface BrowserPage {
  readonly answer: HttpAnswer;
  readonly title: string | undefined;
  /** The fields that the form would send as they stand; a checkbox that is ticked is one, a button is none. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Where the browser was sent to, when that is another site. */
  readonly left: URL | undefined;
  /** Sends the form: with what was typed over its fields, and with the button that was clicked. */
  readonly submit: (typed: Readonly<Record<string, string>>, decision: string) => Promise<BrowserPage>;
}

/** Opens one with no cookies; it trusts any server and has no certificate. */
export function openPlainBrowser(): PlainBrowser {
  const cookies = new Map<string, string>();

  async function go(url: string, form?: URLSearchParams): Promise<BrowserPage> {
    const { origin } = new URL(url);
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await send({
      url,
      method: form === undefined ? "GET" : "POST",
      headers: {
        ...(cookie === "" ? {} : { cookie }),
        ...(form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded", origin: "null" }),
        ...(form === undefined ? {} : { "sec-fetch-site": "same-origin" }),
      },
      ...(form === undefined ? {} : { body: form.toString() }),
    });
    for (const line of answer.headers["set-cookie"] ?? []) {
      const [pair = ""] = line.split(";");
      const at = pair.indexOf("=");
      cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const { location } = answer.headers;
    const target = location === undefined ? undefined : new URL(location, url);
    if (target?.origin === origin) return go(target.href);
    return pageOf(url, answer, target);
  }

  function pageOf(url: string, answer: HttpAnswer, left: URL | undefined): BrowserPage {
    const fields = fieldsOf(answer.body);
    return {
      answer,
      title: /<title>([^<]*)</.exec(answer.body)?.[1],
      fields,
      left,
      submit: (typed, decision) => {
        const action = attribute(/<form\b[^>]*>/.exec(answer.body)?.[0] ?? "", "action") ?? url;
        const untouched = fields.filter(([name]) => !(name in typed));
        const form = new URLSearchParams([...untouched.map(([...pair]) => pair), ...Object.entries(typed)]);
        form.append("decision", decision);
        return go(new URL(action, url).href, form);
      },
    };
  }

  return { open: (url) => go(url) };
}

/** The example's users, as they type themselves in. */
export const alice = { username: "alice", password: "wonderland" };
export const bob = { username: "bob", password: "builder" };

/**
 * Signs a user of the example in and allows everything; resolves to the address at the client that the browser ends at.
 * Who consented before is not asked again.
 */
export async function signIn(url: URL, browser = openPlainBrowser()): Promise<URL> {
  const login = shown(await browser.open(url.href), "Sign in");
  const next = await login.submit(alice, "login");
  if (next.left !== undefined) return next.left;
  const { left, answer } = await shown(next, "Allow access").submit({}, "allow");
  if (left === undefined) throw new Error(`The browser did not get back to the client: ${answer.status}`);
  return left;
}

function shown(page: BrowserPage, title: string): BrowserPage {
  const { answer } = page;
  if (answer.status === 200 && page.title === title) return page;
  throw new Error(`The page "${title}" should have come, not ${answer.status} ${page.title}`);
}

function fieldsOf(body: string): (readonly [string, string])[] {
  return [...body.matchAll(/<input\b[^>]*>/g)].flatMap(([tag]) => {
    const name = attribute(tag, "name");
    const sent = attribute(tag, "type") !== "checkbox" || /\bchecked\b/.test(tag);
    return name === undefined || !sent ? [] : [[name, attribute(tag, "value") ?? ""] as const];
  });
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return value?.replace(/&(amp|lt|gt|quot|#39|#96);/g, (entity) => characters[entity] ?? entity);
}

const characters: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&#96;": "`",
};
