import { hasMoreElements, isJsonObject, type JsonObject, mostJsonElements } from "./json-object.ts";

/** Header and payload of a JWT, without verification. */
export interface UnverifiedJwt {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Limit for the header, which has a dozen parameters and possibly a certificate chain (RFC 7515 §4.1). */
export const mostHeaderElements = 100;

const threeParts = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads a JWT in the JWS compact form (RFC 7515 §7.1), in its canonical spelling only. Otherwise one token could have two
 * spellings, and revocation would find only one.
 *
 * `undefined` for padding, whitespace, non-canonical base64url, an empty part, invalid UTF-8, and a header or payload that
 * is not a JSON object or has more than 100 or 2000 elements, respectively.
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
