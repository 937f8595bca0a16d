import { createHash, timingSafeEqual } from "node:crypto";
import type { ClientView, ScopeView } from "./pages.ts";
import type { Demands, LoggedIn } from "./next-step.ts";

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
  /** The digest of the cookie of the browser that the page was made for. */
  readonly browser: string;
  /** Seconds since 1970. */
  readonly exp: number;
}

interface Session extends LoggedIn {
  readonly exp: number;
}

/** Seconds: how long a page may lie open. */
const interactionLifetime = 3600;

/** What seals and opens values, each for its purpose. */
export interface Sealing {
  readonly seal: (value: object, purpose: string) => Promise<string>;
  readonly open: (text: string, purpose: string) => Promise<unknown>;
}

const purposes = { interaction: "certbound-interaction", session: "certbound-session" } as const;

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
    sealInteraction: (interaction: Omit<Interaction, "browser" | "exp">, browser: string): Promise<string> => {
      const sealed: Interaction = { ...interaction, browser: digest(browser), exp: now() + interactionLifetime };
      return seal(sealed, purposes.interaction);
    },

    /** `undefined`: not ours, expired, or of another browser. */
    openInteraction: async (text: string, browser: string | undefined): Promise<Interaction | undefined> => {
      const interaction = (await openUnexpired(text, purposes.interaction)) as Interaction | undefined;
      if (interaction === undefined || browser === undefined) return undefined;
      return timingSafeEqual(Buffer.from(interaction.browser), Buffer.from(digest(browser))) ? interaction : undefined;
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
      return { subject, authTime, ...(acr === undefined ? {} : { acr }) };
    },
  };
}

export type SealedState = ReturnType<typeof createSealedState>;

function digest(value: string): string {
  return createHash("sha256").update(value).digest("base64url");
}
