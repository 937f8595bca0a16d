/** Somebody who proved to be a user. */
export interface AuthenticatedUser {
  /** The user's unique id: ASCII, at most 100 characters. */
  readonly subject: string;
  /** How sure that is: an authentication context class reference (OpenID Connect Core §2). */
  readonly acr?: string;
}

/** Says who has this name and password; `undefined` for a wrong pair, whichever half of it is wrong. */
export type AuthenticateUser = (
  username: string,
  password: string,
) => AuthenticatedUser | undefined | Promise<AuthenticatedUser | undefined>;

/** What a user's record says for these claim names (OpenID Connect Core §5.1); others that it says go nowhere. */
export type ClaimsOfUser = (
  subject: string,
  names: readonly string[],
) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>;

/** The user table, as far as an authorization server needs it. */
export interface Users {
  readonly authenticate: AuthenticateUser;
  readonly claims: ClaimsOfUser;
}

/** The claims of a user as JSON, those that were asked for alone; `undefined` when there are none. */
export async function claimsAsJson(
  claimsOf: ClaimsOfUser,
  subject: string,
  names: readonly string[],
): Promise<string | undefined> {
  if (names.length === 0) return undefined;
  const known = await claimsOf(subject, names);
  const asked = Object.entries(known).filter(
    ([name, value]) => isAsked(name, names) && value !== null && value !== undefined,
  );
  return asked.length === 0 ? undefined : JSON.stringify(Object.fromEntries(asked));
}

/** A claim may come in several languages: `name#ja` answers `name` (OpenID Connect Core §5.2). */
function isAsked(name: string, names: readonly string[]): boolean {
  return names.includes(name) || names.includes(name.split("#")[0] ?? name);
}
