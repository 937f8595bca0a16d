/** An authenticated user. */
export interface AuthenticatedUser {
  /** The user's unique id: ASCII, at most 100 characters. */
  readonly subject: string;
  /** The authentication context class reference (OpenID Connect Core §2). */
  readonly acr?: string;
}

/** The origin of a login attempt, for rate limits. */
export interface LoginAttempt {
  /** The client's address, without port; behind a proxy see the option `address` of `nodeHandler`. */
  readonly address?: string;
  /** The number of the client that the user signs in for. */
  readonly clientId?: string;
}

/** The result for an attempt that comes too soon; the password was not checked. */
export interface TryLater {
  /** Whole seconds. */
  readonly retryAfter: number;
}

type Found = AuthenticatedUser | TryLater | undefined;

/**
 * Returns the user with this name and password, `undefined` for an unknown name or a wrong password, or {@link
 * TryLater} without checking the password.
 */
export type AuthenticateUser = (username: string, password: string, attempt: LoginAttempt) => Found | Promise<Found>;

/** Returns a user's claims with these names (OpenID Connect Core §5.1); other claims are ignored. */
export type ClaimsOfUser = (
  subject: string,
  names: readonly string[],
) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>;

/** The user table, as an authorization server needs it. */
export interface Users {
  readonly authenticate: AuthenticateUser;
  readonly claims: ClaimsOfUser;
}

/** The requested claims of a user as JSON; `undefined` if there are none. */
export async function claimsAsJson(
  claimsOf: ClaimsOfUser,
  subject: string,
  names: readonly string[],
): Promise<string | undefined> {
  if (names.length === 0) return undefined;
  const known: unknown = await claimsOf(subject, names);
  if (typeof known !== "object" || known === null || Array.isArray(known)) {
    throw new Error("The user table returned no object of claims.");
  }
  const asked = Object.entries(known).filter(
    ([name, value]) => isAsked(name, names) && value !== null && value !== undefined,
  );
  return asked.length === 0 ? undefined : JSON.stringify(Object.fromEntries(asked));
}

/** `name#ja` is the claim `name` in Japanese (OpenID Connect Core §5.2). */
function isAsked(name: string, names: readonly string[]): boolean {
  return names.includes(name) || names.includes(name.split("#")[0] ?? name);
}

/** In seconds: at most a day. */
const longestWait = 86_400;

/**
 * Checks a login with the user table. Rejects with its error, and for a malformed result, so that a mistake logs nobody
 * in.
 *
 * @example await authenticatedBy(users.authenticate, "alice", "wonderland", { address: "192.0.2.1" })
 */
export async function authenticatedBy(
  authenticate: AuthenticateUser,
  username: string,
  password: string,
  attempt: LoginAttempt,
): Promise<Found> {
  const found: unknown = await authenticate(username, password, attempt);
  if (found === undefined || found === null) return undefined;
  const { subject, acr, retryAfter } = found as Partial<Record<"subject" | "acr" | "retryAfter", unknown>>;
  if (typeof retryAfter === "number" && retryAfter >= 0 && subject === undefined) {
    return { retryAfter: Math.min(Math.max(Math.ceil(retryAfter), 1), longestWait) };
  }
  if (typeof subject !== "string" || subject === "" || retryAfter !== undefined) {
    throw new Error("The user table returned neither a subject nor retryAfter.");
  }
  return { subject, ...(typeof acr === "string" && { acr }) };
}
