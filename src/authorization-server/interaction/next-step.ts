/** Somebody who is logged in: what the session remembers. */
export interface LoggedIn {
  readonly subject: string;
  /** Seconds since 1970. */
  readonly authTime: number;
  readonly acr?: string;
}

/** What a request demands of the login (OpenID Connect Core §3.1.2.1). */
export interface Demands {
  readonly prompts: readonly string[];
  /** Seconds. */
  readonly maxAge?: number;
  readonly acrs: readonly string[];
  readonly acrEssential: boolean;
  /** The one user who will do. */
  readonly subject?: string;
  readonly scopes: readonly string[];
}

/** What is known when the next step is chosen. */
export interface Situation {
  readonly demands: Demands;
  /** Whether the user may be shown a page: not with `prompt=none`. */
  readonly interactive: boolean;
  readonly user: LoggedIn | undefined;
  /** Whether that user has just proved it, in answer to this very request. */
  readonly fresh: boolean;
  /** The scopes that the user granted this client before; `undefined`: never asked. */
  readonly granted: readonly string[] | undefined;
  /** Seconds since 1970. */
  readonly now: number;
}

type FailReason = "NOT_LOGGED_IN" | "EXCEEDS_MAX_AGE" | "DIFFERENT_SUBJECT" | "ACR_NOT_SATISFIED" | "CONSENT_REQUIRED";

export type NextStep =
  | { readonly step: "login" }
  | { readonly step: "consent"; readonly user: LoggedIn }
  | { readonly step: "issue"; readonly user: LoggedIn }
  | { readonly step: "fail"; readonly reason: FailReason };

/** These ask for a login even where there is a session. */
const loginPrompts = ["LOGIN", "SELECT_ACCOUNT", "CREATE"];

/** Chooses what happens next (OpenID Connect Core §3.1.2.3 and §3.1.2.4). */
export function nextStep(situation: Situation): NextStep {
  const { demands, interactive, user, fresh, granted } = situation;
  if (user === undefined) return interactive ? { step: "login" } : { step: "fail", reason: "NOT_LOGGED_IN" };
  const defect = defectOfLogin(situation, user);
  // Another login may mend it; the one that was asked for just now did not.
  if (defect !== undefined) return interactive && !fresh ? { step: "login" } : { step: "fail", reason: defect };
  if (interactive && !fresh && demands.prompts.some((prompt) => loginPrompts.includes(prompt)))
    return { step: "login" };
  const isGranted = granted !== undefined && demands.scopes.every((scope) => granted.includes(scope));
  if (isGranted && !demands.prompts.includes("CONSENT")) return { step: "issue", user };
  return interactive ? { step: "consent", user } : { step: "fail", reason: "CONSENT_REQUIRED" };
}

function defectOfLogin({ demands, fresh, now }: Situation, user: LoggedIn): FailReason | undefined {
  const { maxAge, subject, acrEssential, acrs } = demands;
  if (subject !== undefined && subject !== user.subject) return "DIFFERENT_SUBJECT";
  // As many seconds are too many: `max_age=0` asks for a login now, also within the second of the last one.
  if (!fresh && maxAge !== undefined && now - user.authTime >= maxAge) return "EXCEEDS_MAX_AGE";
  const satisfied = user.acr !== undefined && (acrs.length === 0 || acrs.includes(user.acr));
  return acrEssential && !satisfied ? "ACR_NOT_SATISFIED" : undefined;
}
