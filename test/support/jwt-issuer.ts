import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { SignJWT } from "jose";
import { start, x5tS256 } from "./scripted-backend.ts";

export const issuer = "https://as.example";
export const audience = "https://api.example";

export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: Record<string, unknown>;
  readonly alg: string;
  readonly kid: string;
}

/** A key of an issuer, as its key set has it. */
export function createSigningKey(alg: "ES256" | "RS256" | "PS256" | "EdDSA" = "ES256", kid = "k1"): SigningKey {
  const { privateKey, publicKey } =
    alg === "ES256"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : alg === "EdDSA"
        ? generateKeyPairSync("ed25519")
        : generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { privateKey, publicKey, alg, kid, jwk: { ...publicKey.export({ format: "jwk" }), kid, use: "sig" } };
}

/** The claims of an RFC 9068 access token, good for a minute and bound to the tests' certificate. */
export function accessTokenClaims(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    iss: issuer,
    aud: audience,
    sub: "user",
    client_id: "4711",
    iat: start / 1000,
    exp: start / 1000 + 60,
    jti: "1",
    scope: "read",
    cnf: { "x5t#S256": x5tS256 },
    ...change,
  };
}

/** Signs claims as they are; members that are `undefined` are left out. */
export function signJwt(
  key: SigningKey,
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
): Promise<string> {
  const given = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
  const all: Record<string, unknown> = { alg: key.alg, kid: key.kid, typ: "at+jwt", ...header };
  const wanted = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(given).setProtectedHeader(wanted as { alg: string }).sign(key.privateKey);
}

/** A JWT put together by hand: any header, any claims, any signature. */
export function assembleJwt(header: unknown, claims: unknown, signature: Buffer | string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = typeof signature === "string" ? signature : signature.toString("base64url");
  return `${part(header)}.${part(claims)}.${signed}`;
}
