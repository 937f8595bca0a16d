import { errorText, errorUri } from "./error-response.ts";
import { readScope } from "./scope.ts";

/** The attributes of a Bearer challenge: RFC 6750 §3, and `resource_metadata` of RFC 9728 §5.1. */
export interface ChallengeParameters {
  readonly realm?: string | undefined;
  /** Scope tokens with blanks between them. */
  readonly scope?: string | undefined;
  readonly error?: string | undefined;
  readonly error_description?: string | undefined;
  readonly error_uri?: string | undefined;
  readonly resource_metadata?: string | undefined;
}

/** A Bearer challenge needs an attribute (RFC 6750 §3); this one says nothing. */
const defaultRealm = "resource";

/**
 * The value of WWW-Authenticate with the scheme Bearer (RFC 6750 §3); it always parses, whatever the texts are.
 *
 * In `realm` and the error texts, characters that do not belong become `?`; a scope token or a URI with such a
 * character would mean something else, and is left out. Without any attribute there is a neutral `realm`.
 *
 * @example bearerChallenge({ error: "insufficient_scope", scope: "read" }) // 'Bearer error="insufficient_scope", scope="read"'
 */
export function bearerChallenge(parameters: ChallengeParameters): string {
  const attributes: string[] = [];
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== "") attributes.push(`${name}="${value}"`);
  };
  add("realm", quotable(parameters.realm));
  add("error", parameters.error === undefined ? undefined : errorText(parameters.error));
  add(
    "error_description",
    parameters.error_description === undefined ? undefined : errorText(parameters.error_description),
  );
  add("error_uri", errorUri(parameters.error_uri));
  add("scope", parameters.scope === undefined ? undefined : cleanScope(parameters.scope));
  add("resource_metadata", errorUri(parameters.resource_metadata));
  if (attributes.length === 0) add("realm", defaultRealm);
  return `Bearer ${attributes.join(", ")}`;
}

/** Any printable ASCII can stand in a quoted-string; two characters need a backslash (RFC 9110 §5.6.4). */
function quotable(text: string | undefined): string | undefined {
  return text?.replaceAll(/[^\x20-\x7E]/gu, "?").replaceAll(/["\\]/g, "\\$&");
}

function cleanScope(text: string): string {
  return text
    .split(" ")
    .filter((token) => token !== "" && readScope(token).ok)
    .join(" ");
}
