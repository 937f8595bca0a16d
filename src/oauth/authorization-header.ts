import { decodeFormComponent } from "./form.ts";

/**
 * The bearer token in an Authorization header. `none`: no header, or another scheme.
 *
 * `reason` is for the operator; the caller gets `invalid_request` (RFC 6750 §3.1).
 */
export type BearerReading =
  | { readonly kind: "none" }
  | { readonly kind: "token"; readonly token: string }
  | {
      readonly kind: "malformed";
      readonly reason: "header_repeated" | "token_missing" | "separator_malformed" | "token_malformed";
    };

const none: BearerReading = Object.freeze({ kind: "none" });

/** One space and a b64token (RFC 6750 §2.1). */
const bearerToken = /^bearer ([A-Za-z0-9._~+/-]+=*)$/i;

/** The scheme, not followed by another token character (RFC 9110 §5.6.2), which would be a longer scheme. */
const bearerScheme = /^bearer(?![A-Za-z0-9!#$%&'*+.^_`|~-])/i;

/**
 * Reads the access token from the Authorization header (RFC 6750 §2.1, RFC 9110 §11.4).
 *
 * Pass all Authorization headers of the request (`req.headersDistinct.authorization`), because `req.headers` has only the
 * first.
 *
 * @example readBearerToken("Bearer mF_9.B5f-4.1JqM") // { kind: "token", token: "mF_9.B5f-4.1JqM" }
 */
export function readBearerToken(authorization: string | readonly string[] | undefined): BearerReading {
  if (authorization === undefined) return none;
  if (typeof authorization === "string") return readValue(authorization);
  const [value, ...others] = authorization;
  if (others.length > 0) return { kind: "malformed", reason: "header_repeated" };
  return value === undefined ? none : readValue(value);
}

function readValue(value: string): BearerReading {
  const token = bearerToken.exec(value)?.[1];
  if (token !== undefined) return { kind: "token", token };
  const credentials = value.trimStart();
  if (!bearerScheme.test(credentials)) return none;
  const afterScheme = credentials.slice("bearer".length);
  if (afterScheme.trim() === "") return { kind: "malformed", reason: "token_missing" };
  const wellSeparated = credentials === value && /^ [^\s]/.test(afterScheme);
  return { kind: "malformed", reason: wellSeparated ? "token_malformed" : "separator_malformed" };
}

/**
 * The name of the parameter, with each character plain or percent-encoded, also with brackets. One regular expression,
 * because splitting and decoding a body of 1 MiB takes 75 ms.
 */
const tokenParameter = new RegExp(`(?:^|&)${Array.from("access_token", asWritten).join("")}(?:=|&|\\[|%5[Bb]|$)`);

function asWritten(character: string): string {
  const hex = character.charCodeAt(0).toString(16);
  return `(?:${character}|%${hex.replace(/[a-f]/, (digit) => `[${digit}${digit.toUpperCase()}]`)})`;
}

/**
 * Whether a query or form body has an access token (RFC 6750 §2.2 and §2.3), also with an encoded or bracketed parameter
 * name, which some parsers accept. A request may use one method only.
 *
 * @example namesAccessToken("a=1&access%5Ftoken=abc") // true
 */
export function namesAccessToken(form: string): boolean {
  return tokenParameter.test(form);
}

interface BasicCredentials {
  readonly userId: string;
  readonly password: string;
}

export type BasicCredentialsReading = BasicCredentials | { readonly error: "malformed" };

const malformed: BasicCredentialsReading = Object.freeze({ error: "malformed" });

const basicCredentials = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

const controlCharacter = /[\u0000-\u001F\u007F]/;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads an Authorization header with the scheme Basic (RFC 7617 §2); the first colon ends the user id.
 *
 * `formDecoded`: user id and password are form-encoded, as for an OAuth client (RFC 6749 §2.3.1). Malformed are: another
 * scheme, non-canonical base64, invalid UTF-8, a missing colon, control characters.
 *
 * @example readBasicCredentials("Basic YTpi", { formDecoded: true }) // { userId: "a", password: "b" }
 */
export function readBasicCredentials(
  authorization: string,
  options: { readonly formDecoded: boolean },
): BasicCredentialsReading {
  const encoded = basicCredentials.exec(authorization)?.[1];
  const pair = encoded === undefined ? undefined : decodeBase64(encoded);
  const colon = pair?.indexOf(":") ?? -1;
  if (pair === undefined || colon === -1) return malformed;
  const userId = readHalf(pair.slice(0, colon), options.formDecoded);
  const password = readHalf(pair.slice(colon + 1), options.formDecoded);
  return userId === undefined || password === undefined ? malformed : { userId, password };
}

function readHalf(text: string, formDecoded: boolean): string | undefined {
  const decoded = formDecoded ? decodeFormComponent(text) : text;
  return decoded === undefined || controlCharacter.test(decoded) ? undefined : decoded;
}

/** Node decodes malformed base64 leniently, so the result must encode to the same text again. */
function decodeBase64(encoded: string): string | undefined {
  const octets = Buffer.from(encoded, "base64");
  if (octets.toString("base64") !== encoded) return undefined;
  try {
    return utf8.decode(octets);
  } catch {
    return undefined;
  }
}
