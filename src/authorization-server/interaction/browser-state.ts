import { createHash, timingSafeEqual } from "node:crypto";
import type { BrowserRequest } from "../endpoint.ts";
import type { Demands, LoggedIn } from "./next-step.ts";
import type { ClientView, ScopeView } from "./pages.ts";

/** An authorization request that waits for its user, as far as it is needed again. */
export interface AskedAuthorization {
  /** For the backend alone: it never leaves here but sealed. */
  readonly ticket: string;
  readonly client: ClientView;
  readonly scopes: readonly ScopeView[];
  readonly uiLocales: readonly string[];
  readonly loginHint?: string;
  /** Claims that the ID token should have. */
  readonly idTokenClaims: readonly string[];
  /** Whether any claims are asked for, there or at the UserInfo endpoint. */
  readonly asksForClaims: boolean;
  readonly demands: Demands;
  /** Where the answer goes, as a source of a Content-Security-Policy. */
  readonly answerTo?: string;
}

/** What the form on a page carries, sealed. */
export interface Interaction {
  readonly asked: AskedAuthorization;
  /** Who is asked for consent; without anybody the page asks for a login. */
  readonly user?: LoggedIn;
  /** The digest of the name of the browser that the page was made for. */
  readonly browser: string;
  /** Seconds since 1970. */
  readonly exp: number;
}

/** A browser, as its cookie names it. A login gives it a new name, so that a planted cookie is worthless afterwards. */
export interface Browser {
  /** A random value. */
  readonly name: string;
  /** The user whose login gave it this name. */
  readonly subject?: string;
  /** Its earlier names: pages that were made for them may still be open in other tabs. */
  readonly earlier: readonly EarlierName[];
}

interface EarlierName {
  readonly digest: string;
  readonly subject?: string;
  /** Seconds since 1970: when the last page that was made for it expires. */
  readonly exp: number;
}

interface Session extends LoggedIn {
  readonly exp: number;
}

/** Seconds: how long a page may lie open. */
const interactionLifetime = 3600;

/** A cookie has 4096 octets at most (RFC 6265 §6.1). */
const mostEarlierNames = 8;

/** What seals and opens values, each for its purpose. */
export interface Sealing {
  readonly seal: (value: object, purpose: string) => Promise<string>;
  readonly open: (text: string, purpose: string) => Promise<unknown>;
}

const purposes = {
  interaction: "certbound-interaction",
  session: "certbound-session",
  browser: "certbound-browser",
} as const;

/** What browsers keep for us: they can neither read nor change it, and not use it for anything else. */
export function createSealedState(
  { seal, open }: Sealing,
  { now, sessionLifetime }: { readonly now: () => number; readonly sessionLifetime: number },
) {
  const openUnexpired = async (text: string, purpose: string): Promise<unknown> => {
    const value = (await open(text, purpose)) as { exp: number } | undefined;
    return value !== undefined && now() < value.exp ? value : undefined;
  };
  return {
    sealInteraction: (interaction: Omit<Interaction, "browser" | "exp">, { name }: Browser): Promise<string> => {
      const sealed: Interaction = { ...interaction, browser: digest(name), exp: now() + interactionLifetime };
      return seal(sealed, purposes.interaction);
    },

    /** `undefined`: not ours, expired, or of another browser. */
    openInteraction: async (text: string, browser: Browser | undefined): Promise<Interaction | undefined> => {
      const interaction = (await openUnexpired(text, purposes.interaction)) as Interaction | undefined;
      if (interaction === undefined || browser === undefined) return undefined;
      return isOf(interaction, browser, now()) ? interaction : undefined;
    },

    sealBrowser: (browser: Browser): Promise<string> => seal(browser, purposes.browser),

    /** `undefined`: there is none, or it is not ours. */
    openBrowser: async (text: string | undefined): Promise<Browser | undefined> =>
      text === undefined ? undefined : ((await open(text, purposes.browser)) as Browser | undefined),

    /** The browser under a new name, drawn when this user logged in. */
    renamed: (known: Browser | undefined, name: string, subject: string): Browser => {
      if (known === undefined) return { name, subject, earlier: [] };
      const { subject: before } = known;
      const last = { digest: digest(known.name), exp: now() + interactionLifetime };
      const earlier = [{ ...last, ...(before !== undefined && { subject: before }) }, ...known.earlier];
      return { name, subject, earlier: earlier.filter(({ exp }) => now() < exp).slice(0, mostEarlierNames) };
    },

    sealSession: (user: LoggedIn): Promise<string> => {
      const session: Session = { ...user, exp: now() + sessionLifetime };
      return seal(session, purposes.session);
    },

    openSession: async (text: string | undefined): Promise<LoggedIn | undefined> => {
      if (text === undefined) return undefined;
      const session = (await openUnexpired(text, purposes.session)) as Session | undefined;
      if (session === undefined) return undefined;
      const { subject, authTime, acr } = session;
      return { subject, authTime, ...(acr !== undefined && { acr }) };
    },
  };
}

export type SealedState = ReturnType<typeof createSealedState>;

/**
 * Whether a page was made for this browser, under its name or an earlier one. A consent under an earlier name must be
 * of the user who was logged in under it; otherwise an attacker could have made the page with a planted name.
 */
function isOf({ browser: made, user }: Interaction, { name, earlier }: Browser, now: number): boolean {
  if (isSame(made, digest(name))) return true;
  const known = earlier.find((one) => now < one.exp && isSame(made, one.digest));
  return known !== undefined && (user === undefined || user.subject === known.subject);
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

function digest(value: string): string {
  return createHash("sha256").update(value).digest("base64url");
}

/** Names that a browser takes from this very host and over TLS only (RFC 6265bis §4.1.3.2). */
const cookieNames = { browser: "__Host-certbound-browser", session: "__Host-certbound-session" } as const;

type CookieName = keyof typeof cookieNames;

/**
 * The value of one of our cookies; `undefined` when there is none, or more than one. Looks at each character of the header
 * once or twice, however many pairs it has.
 */
export function readCookie(header: string | undefined, name: CookieName): string | undefined {
  if (header === undefined) return undefined;
  const prefix = `${cookieNames[name]}=`;
  let value: string | undefined;
  for (let at = header.indexOf(prefix); at !== -1; at = header.indexOf(prefix, at + prefix.length)) {
    if (!beginsPair(header, at)) continue;
    if (value !== undefined) return undefined;
    const start = at + prefix.length;
    const end = header.indexOf(";", start);
    value = header.slice(start, end === -1 ? undefined : end);
  }
  return value;
}

/** Blanks and tabs alone: browsers do not know `\u00a0__Host-…` as one of these names, so any site near us may set it. */
function beginsPair(header: string, at: number): boolean {
  let before = at - 1;
  while (header[before] === " " || header[before] === "\t") before -= 1;
  return before === -1 || header[before] === ";";
}

/**
 * A Set-Cookie value. The cookie ends with the browser, no script reads it, and it comes along when another site leads
 * the user here, but not when another site posts a form (SameSite=Lax).
 */
export function writeCookie(name: CookieName, value: string): string {
  return `${cookieNames[name]}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax`;
}

/**
 * Whether a browser says that a form was sent from another site. A second lock: what decides is the cookie, which
 * does not come along from there.
 */
export function isFromElsewhere({ fetchSite, origin, host }: BrowserRequest): boolean {
  if (fetchSite !== undefined) return fetchSite !== "same-origin";
  // Our pages send no referrer, and with it no origin: browsers say "null" then (Fetch §3.1).
  if (origin === undefined || origin === "null") return false;
  const sender = URL.parse(origin);
  return sender === null || sender.host !== host;
}
