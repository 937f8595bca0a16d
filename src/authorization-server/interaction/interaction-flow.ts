import type { AuthorizationFailRequest } from "../../contract/auth-authorization-fail.ts";
import type { Form } from "../../oauth/form.ts";
import { scopeClaims } from "../../oauth/openid-parameters.ts";
import type { EndpointAnswer } from "../endpoint.ts";
import { authenticatedBy, claimsAsJson, type LoginAttempt, type Users } from "../users.ts";
import {
  readCookie,
  writeCookie,
  type AskedAuthorization,
  type Browser,
  type Interaction,
  type SealedState,
} from "./browser-state.ts";
import type { InteractionPages } from "./interaction-pages.ts";
import type { LoginTries } from "./login-tries.ts";
import { nextStep, type Consent, type LoggedIn } from "./next-step.ts";
import type { TicketEnds } from "./ticket-ends.ts";

/** Remembers consents, so that users are not asked again. Applies to redirect URIs with `https` only. */
export interface Consents {
  /** Everything that this user granted this client (its number). A request covered by one consent is granted. */
  readonly granted: (subject: string, clientId: string) => readonly Consent[] | Promise<readonly Consent[]>;
  /** Stores a new consent; earlier consents stay. */
  readonly grant: (subject: string, clientId: string, consent: Consent) => void | Promise<void>;
}

/** Dependencies of the flow. */
export interface FlowParts {
  readonly users: Users;
  readonly consents: Consents | undefined;
  readonly state: SealedState;
  readonly pages: InteractionPages;
  readonly ends: TicketEnds;
  readonly tries: LoginTries;
  /** Seconds since 1970. */
  readonly now: () => number;
  /** A random value. */
  readonly random: () => string;
}

/** Creates the flow of pages between request and response. It is stateless: forms and cookies hold encrypted state. */
export function createInteractionFlow({ users, consents, state, pages, ends, tries, now, random }: FlowParts) {
  /** Shows a page that only this browser can submit, and names the browser if it is new. */
  async function show(
    interaction: Pick<Interaction, "asked" | "user">,
    known: Browser | undefined,
    page: (sealed: string) => EndpointAnswer,
  ): Promise<EndpointAnswer> {
    const browser = known ?? { name: random(), earlier: [] };
    const answer = page(await state.sealInteraction(interaction, browser));
    return known === undefined ? withCookie(answer, await browserCookie(browser)) : answer;
  }

  const browserCookie = async (browser: Browser): Promise<string> =>
    writeCookie("browser", await state.sealBrowser(browser));

  const showLogin = (asked: AskedAuthorization, browser: Browser | undefined): Promise<EndpointAnswer> =>
    show({ asked }, browser, (sealed) => pages.login(asked, sealed, { wrongCredentials: false }));

  async function issue(asked: AskedAuthorization, user: LoggedIn, scopes: readonly string[]): Promise<EndpointAnswer> {
    const released = ["sub", ...scopeClaims(scopes), ...asked.demands.claims];
    const names = asked.idTokenClaims.filter((name) => released.includes(name));
    const claims = await claimsAsJson(users.claims, user.subject, names);
    return ends.issue({
      ticket: asked.ticket,
      ...user,
      ...(scopes.length !== 0 && { scopes: [...scopes] }),
      ...(claims !== undefined && { claims }),
      // Restricts the UserInfo endpoint, too: claims of a scope that the user unticked are not released by name either.
      ...(asked.asksForClaims && { consentedClaims: [...new Set(released)] }),
    });
  }

  const fail = ({ ticket }: AskedAuthorization, reason: AuthorizationFailRequest["reason"]): Promise<EndpointAnswer> =>
    ends.fail({ ticket, reason });

  /**
   * At a loopback port or a private scheme, any program could pretend to be the client, so earlier consents do not count
   * (RFC 6749 §10.2, RFC 8252 §8.6).
   */
  async function grantedBefore({ client, answerTo }: AskedAuthorization, user: LoggedIn): Promise<readonly Consent[]> {
    const known = answerTo?.startsWith("https:") === true ? consents?.granted(user.subject, client.id) : undefined;
    return readConsents((await known) ?? []);
  }

  /** Proceeds to the next page or the response. */
  async function proceed(
    asked: AskedAuthorization,
    browser: Browser | undefined,
    known: { readonly interactive: boolean; readonly user: LoggedIn | undefined; readonly fresh: boolean },
  ): Promise<EndpointAnswer> {
    const { demands } = asked;
    const granted = known.user === undefined ? [] : await grantedBefore(asked, known.user);
    const next = nextStep({ ...known, demands, granted, now: now() });
    switch (next.step) {
      case "login":
        return showLogin(asked, browser);
      case "consent": {
        const { user } = next;
        return show({ asked, user }, browser, (sealed) => pages.consent(asked, sealed, user.subject));
      }
      case "issue":
        return issue(asked, next.user, demands.scopes);
      case "fail":
        return fail(asked, next.reason);
    }
  }

  async function login(
    { asked }: Interaction,
    sealed: string,
    browser: Browser | undefined,
    form: Form,
    address: string | undefined,
  ): Promise<EndpointAnswer> {
    const { ticket, client } = asked;
    if (form.get("decision") === "cancel") return fail(asked, "NOT_AUTHENTICATED");
    // Counted before the password is checked, so that concurrent attempts are counted, too.
    if (!tries.begin(ticket)) return fail(asked, "NOT_AUTHENTICATED");
    const attempt: LoginAttempt = { clientId: client.id, ...(address !== undefined && { address }) };
    const [username, password] = [form.get("username") ?? "", form.get("password") ?? ""];
    const found = await authenticatedBy(users.authenticate, username, password, attempt);
    if (found === undefined) return pages.login(asked, sealed, { wrongCredentials: true });
    if ("retryAfter" in found) {
      tries.takeBack(ticket);
      return pages.login(asked, sealed, { wrongCredentials: false, retryAfter: found.retryAfter });
    }
    // Another tab, or too many attempts, may have ended the authorization in the meantime.
    const over = await ends.over(ticket);
    if (over !== undefined) return over;
    tries.end(ticket);
    const { subject, acr } = found;
    const user: LoggedIn = { subject, authTime: now(), ...(acr !== undefined && { acr }) };
    const renamed = state.renamed(browser, random(), subject);
    const answer = await proceed(asked, renamed, { interactive: true, user, fresh: true });
    // Sets no session if the authorization cannot continue.
    if (answer.status >= 400) return answer;
    const session = writeCookie("session", await state.sealSession(user));
    return withCookie(withCookie(answer, await browserCookie(renamed)), session);
  }

  async function consent(
    asked: AskedAuthorization,
    user: LoggedIn,
    browser: Browser | undefined,
    form: Form,
  ): Promise<EndpointAnswer> {
    const decision = form.get("decision");
    if (decision === "deny") return fail(asked, "DENIED");
    if (decision === "switch") return showLogin(asked, browser);
    if (decision !== "allow") return pages.message("not_usable", 400);
    const chosen = form.getAll("scope");
    const scopes = asked.demands.scopes.filter((scope) => chosen.includes(scope));
    // Granting no scope is a denial; the backend would read an empty list as all scopes.
    if (scopes.length === 0 && asked.demands.scopes.length > 0) return fail(asked, "DENIED");
    const { claims, resources } = asked.demands;
    await consents?.grant(user.subject, asked.client.id, { scopes, claims, resources });
    return issue(asked, user, scopes);
  }

  return {
    /** Starts with an accepted request; `interactive: false` shows no pages (`prompt=none`). */
    async begin(
      asked: AskedAuthorization,
      cookie: string | undefined,
      { interactive }: { readonly interactive: boolean },
    ): Promise<EndpointAnswer> {
      const user = await state.openSession(readCookie(cookie, "session"));
      const browser = await state.openBrowser(readCookie(cookie, "browser"));
      return proceed(asked, browser, { interactive, user, fresh: false });
    },

    /** Continues with a submitted form. */
    async resume(
      form: Form,
      { cookie, address }: { readonly cookie: string | undefined; readonly address: string | undefined },
    ): Promise<EndpointAnswer> {
      const sealed = form.get("interaction") ?? "";
      const browser = await state.openBrowser(readCookie(cookie, "browser"));
      const interaction = await state.openInteraction(sealed, browser);
      if (interaction === undefined) return pages.message("not_usable", 400);
      const { asked, user } = interaction;
      const over = await ends.over(asked.ticket);
      if (over !== undefined) return over;
      if (user !== undefined) return consent(asked, user, browser, form);
      return login(interaction, sealed, browser, form, address);
    },
  };
}

/**
 * Validates stored consents. A string instead of a list would be dangerous: it has `includes`, too, and would grant every
 * part of itself.
 */
function readConsents(granted: unknown): readonly Consent[] {
  const isList = (list: unknown): boolean => Array.isArray(list) && list.every((one) => typeof one === "string");
  const isConsent = (one: unknown): boolean => {
    const { scopes, claims, resources } = one as Partial<Record<keyof Consent, unknown>>;
    return isList(scopes) && isList(claims) && isList(resources);
  };
  if (!Array.isArray(granted) || !granted.every(isConsent)) {
    throw new Error("consents.granted returned no list of consents: each has lists of scopes, claims and resources.");
  }
  return granted as readonly Consent[];
}

function withCookie(answer: EndpointAnswer, cookie: string): EndpointAnswer {
  const already = answer.headers["set-cookie"] ?? [];
  const all = [...(typeof already === "string" ? [already] : already), cookie];
  return { ...answer, headers: { ...answer.headers, "set-cookie": all } };
}
