import { createHash, timingSafeEqual } from "node:crypto";
import type { BrowserRequest } from "../endpoint.ts";
import type { Demands, LoggedIn } from "./next-step.ts";
import type { ClientView, ScopeView } from "./pages.ts";

/** The parts of an authorization request that are needed again later. */
export interface AskedAuthorization {
  /** For the backend only; leaves this process only encrypted. */
  readonly ticket: string;
  readonly client: ClientView;
  readonly scopes: readonly ScopeView[];
  readonly uiLocales: readonly string[];
  readonly loginHint?: string;
  /** Claims requested for the ID token. */
  readonly idTokenClaims: readonly string[];
  /** Whether claims are requested, in the ID token or at the UserInfo endpoint. */
  readonly asksForClaims: boolean;
  readonly demands: Demands;
  /** The target of the response, as a source of a Content-Security-Policy. */
  readonly answerTo?: string;
}

/** The encrypted state in a page's form. */
export interface Interaction {
  readonly asked: AskedAuthorization;
  /** The user of a consent page; `undefined` on a login page. */
  readonly user?: LoggedIn;
  /** Digest of the name of the browser that the page was created for. */
  readonly browser: string;
  /** Seconds since 1970. */
  readonly exp: number;
}

/** A browser, identified by its cookie. A login renames it, so that a planted cookie becomes worthless. */
export interface Browser {
  /** A random value. */
  readonly name: string;
  /** The user whose login set this name. */
  readonly subject?: string;
  /** Earlier names, because pages created for them may still be open in other tabs. */
  readonly earlier: readonly EarlierName[];
}

interface EarlierName {
  readonly digest: string;
  readonly subject?: string;
  /** Seconds since 1970: expiry of the last page created for this name. */
  readonly exp: number;
}

interface Session extends LoggedIn {
  readonly exp: number;
}

/** In seconds: how long a page can be submitted. */
const interactionLifetime = 3600;

/** A cookie has 4096 octets at most (RFC 6265 §6.1). */
const mostEarlierNames = 8;

/** Encrypts and decrypts values, each for one purpose. */
export interface Sealing {
  readonly seal: (value: object, purpose: string) => Promise<string>;
  readonly open: (text: string, purpose: string) => Promise<unknown>;
}

const purposes = {
  interaction: "certbound-interaction",
  session: "certbound-session",
  browser: "certbound-browser",
} as const;

/** State that browsers store for us, encrypted and bound to its purpose. */
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

    /** `undefined` if it is invalid, expired, or of another browser. */
    openInteraction: async (text: string, browser: Browser | undefined): Promise<Interaction | undefined> => {
      const interaction = (await openUnexpired(text, purposes.interaction)) as Interaction | undefined;
      if (interaction === undefined || browser === undefined) return undefined;
      return isOf(interaction, browser, now()) ? interaction : undefined;
    },

    sealBrowser: (browser: Browser): Promise<string> => seal(browser, purposes.browser),

    /** `undefined` if it is missing or invalid. */
    openBrowser: async (text: string | undefined): Promise<Browser | undefined> =>
      text === undefined ? undefined : ((await open(text, purposes.browser)) as Browser | undefined),

    /** Renames the browser after the login of this user. */
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
 * Whether a page was created for this browser, under its current or an earlier name. A consent page of an earlier name
 * must belong to that name's user; otherwise an attacker could have created the page with a planted name.
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

/** Browsers accept `__Host-` cookies only from this exact host and over TLS (RFC 6265bis §4.1.3.2). */
const cookieNames = { browser: "__Host-certbound-browser", session: "__Host-certbound-session" } as const;

type CookieName = keyof typeof cookieNames;

/**
 * The value of one of our cookies; `undefined` if it is missing or repeated. Linear in the length of the header, however
 * many cookies it has.
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

/** Only spaces and tabs are skipped: any sibling site may set a cookie named `\u00a0__Host-…`. */
function beginsPair(header: string, at: number): boolean {
  let before = at - 1;
  while (header[before] === " " || header[before] === "\t") before -= 1;
  return before === -1 || header[before] === ";";
}

/**
 * A Set-Cookie value for a session cookie that scripts cannot read. Browsers send it when another site links here, but
 * not when another site posts a form (SameSite=Lax).
 */
export function writeCookie(name: CookieName, value: string): string {
  return `${cookieNames[name]}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax`;
}

/**
 * Whether the browser reports that another site sent the form. A second defence: the cookie, which decides, is not sent
 * from there.
 */
export function isFromElsewhere({ fetchSite, origin, host }: BrowserRequest): boolean {
  if (fetchSite !== undefined) return fetchSite !== "same-origin";
  // Our pages send no referrer, so browsers send the origin "null" (Fetch §3.1).
  if (origin === undefined || origin === "null") return false;
  const sender = URL.parse(origin);
  return sender === null || sender.host !== host;
}
