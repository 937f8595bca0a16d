import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { createLocalJWKSet, compactVerify } from "jose";

/** A private key as a service's `jwks` has it, and its public half. */
export interface ServiceKey {
  readonly kid: string | undefined;
  readonly privateKey: KeyObject;
  readonly privateJwk: Readonly<Record<string, unknown>>;
  readonly publicJwk: Readonly<Record<string, unknown>>;
}

const generators = {
  RSA: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  shortRSA: () => generateKeyPairSync("rsa", { modulusLength: 1024 }),
  P256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  P384: () => generateKeyPairSync("ec", { namedCurve: "P-384" }),
  P521: () => generateKeyPairSync("ec", { namedCurve: "P-521" }),
  Ed25519: () => generateKeyPairSync("ed25519"),
};

/** Draws a key; `members` are put into both of its halves. An RSA key takes a while: make one a file. */
export function createServiceKey(
  type: keyof typeof generators,
  kid?: string,
  members: Readonly<Record<string, unknown>> = {},
): ServiceKey {
  const { privateKey, publicKey } = generators[type]();
  const more = { ...(kid === undefined ? {} : { kid }), ...members };
  return {
    kid,
    privateKey,
    privateJwk: { ...privateKey.export({ format: "jwk" }), ...more },
    publicJwk: { ...publicKey.export({ format: "jwk" }), ...more },
  };
}

/** The `jwks` of a service with these private keys, and with public ones that have signed before. */
export function serviceJwks(keys: readonly ServiceKey[], earlier: readonly ServiceKey[] = []): string {
  return JSON.stringify({
    keys: [...keys.map(({ privateJwk }) => privateJwk), ...earlier.map(({ publicJwk }) => publicJwk)],
  });
}

export interface VerifiedJwt {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
  /** The payload as it was written. */
  readonly text: string;
}

/** Verifies a JWT with one key and takes it apart; rejects when the signature is not that key's. */
export async function verifyJwt(jwt: string, key: ServiceKey): Promise<VerifiedJwt> {
  const { payload, protectedHeader } = await compactVerify(jwt, createLocalJWKSet({ keys: [key.publicJwk as never] }));
  const text = Buffer.from(payload).toString();
  return { header: { ...protectedHeader }, payload: JSON.parse(text) as Record<string, unknown>, text };
}
