import { isLoopback } from "../../oauth/uri.ts";

const characters = /[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]/;

/** What keeps a text from being an absolute URI (RFC 3986 §4.3), by place and never by its words; `undefined`: nothing. */
export function defectOfUri(text: string): string | undefined {
  if (text === "") return "it is empty";
  const odd = firstOutside(text, characters);
  if (odd !== undefined) return `its character ${odd.at} is not one of a URI: percent-encode it`;
  const percent = text.search(/%(?![0-9A-Fa-f]{2})/);
  if (percent !== -1) return `its character ${percent + 1} is a % that two hexadecimal digits do not follow`;
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text)) return "it has no scheme such as https:";
  if (/^[^:]*:$/.test(text)) return "nothing follows its scheme";
  return undefined;
}

/** The same of a URL that is fetched, or that a browser goes to, with the fragment that it may not have. */
export function defectOfUrl(text: string): string | undefined {
  const defect = defectOfUri(text) ?? placeOf(text, "#", "a fragment");
  if (defect !== undefined) return defect;
  if (/^(?:https?|wss?|ftp):(?!\/\/[^/?])/i.test(text) || !URL.canParse(text))
    return "it has no host, or cannot be read";
  const { username, password } = new URL(text);
  return username === "" && password === "" ? undefined : "it has a user name or a password";
}

/** What keeps a text from being an https URL, or an http URL of a loopback address (RFC 8414 §2). */
export function defectOfEndpoint(text: string): string | undefined {
  return defectOfUrl(text) ?? defectOfScheme(text);
}

/** The same of an issuer (RFC 8414 §2), which has no query. */
export function defectOfIssuer(text: string): string | undefined {
  return defectOfEndpoint(text) ?? placeOf(text, "?", "a query");
}

/** Why a text cannot be registered as a redirect URI (RFC 8252 §7): no wildcard, and no scheme of others. */
export function defectOfRedirectUri(text: string): string | undefined {
  const defect = placeOf(text, "*", "a *") ?? defectOfUrl(text);
  if (defect !== undefined) return defect;
  if (/^https?:/i.test(text)) return defectOfScheme(text);
  return /^[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:/.test(text)
    ? undefined
    : "its scheme is neither https nor one with a dot";
}

function defectOfScheme(text: string): string | undefined {
  const { protocol, hostname } = new URL(text);
  if (protocol === "https:") return undefined;
  if (protocol !== "http:") return "its scheme is not https";
  return isLoopback(hostname) ? undefined : "it is http, and its host is not a loopback address";
}

function placeOf(text: string, character: string, what: string): string | undefined {
  const index = text.indexOf(character);
  return index === -1 ? undefined : `it has ${what}, at character ${index + 1}`;
}

/** A character that a text may not have; `at` counts from 1. */
export interface Outsider {
  readonly at: number;
  readonly ascii: boolean;
}

/**
 * The first character of a text that is not one of a class; `undefined` when all are.
 *
 * @example firstOutside("a b", /[a-z]/) // { at: 2, ascii: true }
 */
export function firstOutside(text: string, characterClass: RegExp): Outsider | undefined {
  for (const [index, character] of Array.from(text).entries()) {
    if (!characterClass.test(character)) return { at: index + 1, ascii: character <= "\x7f" };
  }
  return undefined;
}
