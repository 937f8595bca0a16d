import { decodeFormComponent } from "./form.ts";

export interface BasicCredentials {
  readonly userId: string;
  readonly password: string;
}

export type BasicCredentialsReading = BasicCredentials | { readonly error: "malformed" };

const malformed: BasicCredentialsReading = Object.freeze({ error: "malformed" });

const basicCredentials = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

const controlCharacter = /[\u0000-\u001F\u007F]/;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads the value of an Authorization header with the scheme Basic (RFC 7617 §2); the first colon ends the user id.
 *
 * `formDecoded`: both halves were form-encoded before, as those of an OAuth client are (RFC 6749 §2.3.1). Malformed:
 * another scheme, base64 that is not canonical, octets that are not UTF-8, no colon, control characters.
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

/** Node repairs what is not base64; text that does not come out as it went in was not. */
function decodeBase64(encoded: string): string | undefined {
  const octets = Buffer.from(encoded, "base64");
  if (octets.toString("base64") !== encoded) return undefined;
  try {
    return utf8.decode(octets);
  } catch {
    return undefined;
  }
}
