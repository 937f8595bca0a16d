import { hasMoreElements, isJsonObject, type JsonObject, mostJsonElements } from "./json-object.ts";

/** What a JWT in compact form says of itself: nothing of it is verified. */
export interface UnverifiedJwt {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Of the header alone: it has a dozen parameters and perhaps a chain of certificates (RFC 7515 §4.1). */
export const mostHeaderElements = 100;

const threeParts = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads a JWT in the JWS compact form (RFC 7515 §7.1), only if it is written in the one way there is to write it.
 *
 * `undefined` for padding, blanks, a line break, bits set where base64url has none to spend, an empty part, octets that
 * are not UTF-8, and for a header or payload that is no JSON object, or one of more than 100 elements and 2000, respectively: a token must not
 * have two spellings, of which revocation finds one.
 *
 * @example readCompactJwt(token)?.payload["iss"]
 */
export function readCompactJwt(text: string): UnverifiedJwt | undefined {
  const [, head, body, signature] = threeParts.exec(text) ?? [];
  if (head === undefined || body === undefined || signature === undefined) return undefined;
  if (decode(signature) === undefined) return undefined;
  const header = readObject(decode(head), mostHeaderElements);
  const payload = readObject(decode(body), mostJsonElements);
  return header === undefined || payload === undefined ? undefined : { header, payload };
}

function decode(part: string): Buffer | undefined {
  const octets = Buffer.from(part, "base64url");
  return octets.toString("base64url") === part ? octets : undefined;
}

function readObject(octets: Buffer | undefined, most: number): JsonObject | undefined {
  try {
    const text = octets && utf8.decode(octets);
    if (text === undefined || hasMoreElements(text, most)) return undefined;
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
