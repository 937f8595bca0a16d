/** A logged-in user, as stored in the session. */
export interface LoggedIn {
  readonly subject: string;
  /** Seconds since 1970. */
  readonly authTime: number;
  readonly acr?: string;
}

/** A consent of a user to a client. */
export interface Consent {
  readonly scopes: readonly string[];
  /** Claims requested by name, in addition to those of the scopes. */
  readonly claims: readonly string[];
  /** Resources of the tokens (RFC 8707); empty: the service's default. */
  readonly resources: readonly string[];
}

/** What a request demands of the login (OpenID Connect Core §3.1.2.1), and the consent it needs. */
export interface Demands extends Consent {
  readonly prompts: readonly string[];
  /** Seconds. */
  readonly maxAge?: number;
  readonly acrs: readonly string[];
  readonly acrEssential: boolean;
  /** The required user. */
  readonly subject?: string;
}

/** The facts that decide the next step. */
export interface StepFacts {
  readonly demands: Demands;
  /** Whether pages may be shown; `false` for `prompt=none`. */
  readonly interactive: boolean;
  readonly user: LoggedIn | undefined;
  /** Whether the user logged in for this request. */
  readonly fresh: boolean;
  /** Earlier consents of the user to this client. */
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

/** These require a login even with a session. */
const loginPrompts = ["LOGIN", "SELECT_ACCOUNT", "CREATE"];

/** Chooses what happens next (OpenID Connect Core §3.1.2.3 and §3.1.2.4). */
export function nextStep(situation: StepFacts): NextStep {
  const { demands, interactive, user, fresh, granted } = situation;
  if (user === undefined) return interactive ? { step: "login" } : { step: "fail", reason: "NOT_LOGGED_IN" };
  const defect = defectOfLogin(situation, user);
  // A new login may help, unless the user has just logged in for this request.
  if (defect !== undefined) return interactive && !fresh ? { step: "login" } : { step: "fail", reason: defect };
  if (interactive && !fresh && demands.prompts.some((prompt) => loginPrompts.includes(prompt)))
    return { step: "login" };
  const isGranted = granted.some((consent) => covers(consent, demands));
  if (isGranted && !demands.prompts.includes("CONSENT")) return { step: "issue", user };
  return interactive ? { step: "consent", user } : { step: "fail", reason: "CONSENT_REQUIRED" };
}

/** One consent must cover the whole request, because a consent for one API does not extend to another. */
function covers(consent: Consent, demands: Demands): boolean {
  const { scopes, claims, resources } = demands;
  // A request without resources gets the service's default, which a consent to named resources does not cover.
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
  // `>=`, so that `max_age=0` requires a login even within the second of the last one.
  if (!fresh && maxAge !== undefined && now - user.authTime >= maxAge) return "EXCEEDS_MAX_AGE";
  const satisfied = user.acr !== undefined && (acrs.length === 0 || acrs.includes(user.acr));
  return acrEssential && !satisfied ? "ACR_NOT_SATISFIED" : undefined;
}
