import type { Html } from "./html.ts";

/** The client, as pages may show it. */
export interface ClientView {
  /** Its number. */
  readonly id: string;
  /** Its number if it has no name. */
  readonly name: string;
}

/** A requested scope. */
export interface ScopeView {
  readonly name: string;
  readonly description?: string;
}

interface InteractionView {
  readonly client: ClientView;
  /** Requested languages, the preferred one first (`ui_locales`). */
  readonly uiLocales: readonly string[];
  /** Wraps fields and buttons in the form. The `name` of the buttons is `decision`. */
  readonly form: (content: Html) => Html;
}

/** What a login page shows. It has the fields `username` and `password`; the decision `cancel` aborts the login. */
export interface LoginView extends InteractionView {
  /** The probable user name (`login_hint`), to fill in. */
  readonly loginHint?: string;
  /** Whether the last attempt had a wrong user name or password; which one is not disclosed. */
  readonly wrongCredentials: boolean;
  /** Seconds until the user table accepts another attempt (status 429). */
  readonly retryAfter?: number;
}

/**
 * What a consent page shows. The decision `allow` grants only the scopes submitted as `scope`, from checkboxes or hidden
 * fields; `deny` denies the request, `switch` leads to another login.
 */
export interface ConsentView extends InteractionView {
  readonly subject: string;
  readonly scopes: readonly ScopeView[];
  /** Claims requested by name, in addition to those of the scopes. */
  readonly claims: readonly string[];
  /** The requested resources of the tokens (RFC 8707). */
  readonly resources: readonly string[];
}

/** A message for a user who cannot continue. */
export interface MessageView {
  readonly reason: "finished" | "not_usable" | "unavailable";
  /** The message as a sentence. */
  readonly text: string;
}

/** A page. The library writes the document around it. */
export interface Page {
  readonly title: string;
  readonly body: Html;
  /** The language of the page (RFC 5646); default: `en`. */
  readonly lang?: string;
}

/** The pages of an authorization server. They run no scripts and load nothing from other sites. */
export interface Pages {
  readonly login: (view: LoginView) => Page;
  readonly consent: (view: ConsentView) => Page;
  /** Default: a plain sentence. */
  readonly message?: (view: MessageView) => Page;
  /** CSS for all pages. */
  readonly style?: string;
}
