import type { Html } from "./html.ts";

/** The client that asks, as it may be shown. */
export interface ClientView {
  /** Its number. */
  readonly id: string;
  /** Its number where it has no name. */
  readonly name: string;
}

/** A scope that the client asks for. */
export interface ScopeView {
  readonly name: string;
  readonly description?: string;
}

interface InteractionView {
  readonly client: ClientView;
  /** Languages that the client asks for, the preferred one first (`ui_locales`). */
  readonly uiLocales: readonly string[];
  /** Writes the form around its fields and its buttons, whose `name` is `decision`. */
  readonly form: (content: Html) => Html;
}

/** What a login page shows: fields `username` and `password`; the decision `cancel` gives up, any other goes on. */
export interface LoginView extends InteractionView {
  /** Who the user probably is (`login_hint`), for the field's value. */
  readonly loginHint?: string;
  /** The pair that was sent is wrong; nobody is told which half. */
  readonly wrongCredentials: boolean;
  /** Seconds until the user table accepts another attempt (status 429). */
  readonly retryAfter?: number;
}

/**
 * What a consent page shows. The decision `allow` grants the scopes that come back as `scope`, from checkboxes or
 * hidden fields, and none besides; `deny` refuses, `switch` asks for another login.
 */
export interface ConsentView extends InteractionView {
  readonly subject: string;
  readonly scopes: readonly ScopeView[];
  /** Claims about the user that the client asks for by name, beside those that its scopes stand for. */
  readonly claims: readonly string[];
  /** What the tokens will be good for, where the client says so (RFC 8707). */
  readonly resources: readonly string[];
}

/** What is told to a user who cannot go on. */
export interface MessageView {
  readonly reason: "finished" | "not_usable" | "unavailable";
  /** The same as a sentence. */
  readonly text: string;
}

/** One page; the library writes the document around it. */
export interface Page {
  readonly title: string;
  readonly body: Html;
  /** The language of the page (RFC 5646); `en` when left out. */
  readonly lang?: string;
}

/** The pages of an authorization server. Scripts do not run in them, and nothing is loaded from elsewhere. */
export interface Pages {
  readonly login: (view: LoginView) => Page;
  readonly consent: (view: ConsentView) => Page;
  /** A plain sentence when left out. */
  readonly message?: (view: MessageView) => Page;
  /** CSS for all of them, put into each page. */
  readonly style?: string;
}
