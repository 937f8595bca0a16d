/** Somebody who is logged in: what the session remembers. */
export interface LoggedIn {
  readonly subject: string;
  /** Seconds since 1970. */
  readonly authTime: number;
  readonly acr?: string;
}

/** What a user granted a client at one time. */
export interface Consent {
  readonly scopes: readonly string[];
  /** Claims about the user that were asked for by name, beside those that scopes stand for. */
  readonly claims: readonly string[];
  /** What the tokens are good for (RFC 8707); empty: what the service says. */
  readonly resources: readonly string[];
}

/** What a request demands: of the login (OpenID Connect Core §3.1.2.1), and of the user. */
export interface Demands extends Consent {
  readonly prompts: readonly string[];
  /** Seconds. */
  readonly maxAge?: number;
  readonly acrs: readonly string[];
  readonly acrEssential: boolean;
  /** The one user who will do. */
  readonly subject?: string;
}

/** What is known when the next step is chosen. */
export interface StepFacts {
  readonly demands: Demands;
  /** Whether the user may be shown a page: not with `prompt=none`. */
  readonly interactive: boolean;
  readonly user: LoggedIn | undefined;
  /** Whether that user has just proved it, in answer to this very request. */
  readonly fresh: boolean;
  /** What the user granted this client before. */
  readonly granted: readonly Consent[];
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
export function nextStep(situation: StepFacts): NextStep {
  const { demands, interactive, user, fresh, granted } = situation;
  if (user === undefined) return interactive ? { step: "login" } : { step: "fail", reason: "NOT_LOGGED_IN" };
  const defect = defectOfLogin(situation, user);
  // Another login may mend it; the one that was asked for just now did not.
  if (defect !== undefined) return interactive && !fresh ? { step: "login" } : { step: "fail", reason: defect };
  if (interactive && !fresh && demands.prompts.some((prompt) => loginPrompts.includes(prompt)))
    return { step: "login" };
  const isGranted = granted.some((consent) => covers(consent, demands));
  if (isGranted && !demands.prompts.includes("CONSENT")) return { step: "issue", user };
  return interactive ? { step: "consent", user } : { step: "fail", reason: "CONSENT_REQUIRED" };
}

/** Who agreed to one API's tokens did not agree to another's: the same consent must have it all. */
function covers(consent: Consent, demands: Demands): boolean {
  const { scopes, claims, resources } = demands;
  // Without resources the tokens are good for what the service says: for none of those that were named.
  const named = resources.length > 0 || consent.resources.length === 0;
  return (
    named &&
    scopes.every((scope) => consent.scopes.includes(scope)) &&
    claims.every((claim) => consent.claims.includes(claim)) &&
    resources.every((resource) => consent.resources.includes(resource))
  );
}

function defectOfLogin({ demands, fresh, now }: StepFacts, user: LoggedIn): FailReason | undefined {
  const { maxAge, subject, acrEssential, acrs } = demands;
  if (subject !== undefined && subject !== user.subject) return "DIFFERENT_SUBJECT";
  // As many seconds are too many: `max_age=0` asks for a login now, also within the second of the last one.
  if (!fresh && maxAge !== undefined && now - user.authTime >= maxAge) return "EXCEEDS_MAX_AGE";
  const satisfied = user.acr !== undefined && (acrs.length === 0 || acrs.includes(user.acr));
  return acrEssential && !satisfied ? "ACR_NOT_SATISFIED" : undefined;
}
