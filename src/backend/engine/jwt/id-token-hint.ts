import { createPublicKey, type JsonWebKey } from "node:crypto";
import { readCompactJwt } from "../../../oauth/compact-jwt.ts";
import { localKeys, signatureDefect, type IssuerKeys } from "../../../jose/verify-signature.ts";
import type { Service } from "../management/settings-memo.ts";

/** Whom an ID token of ours is about, and for whom it was made. */
export interface IdTokenHint {
  readonly subject: string;
  readonly audience: readonly string[];
}

const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

/**
 * Reads an `id_token_hint` (OpenID Connect Core §3.1.2.1): signed with a key of the service, by the service.
 *
 * `undefined` for everything else. It may have expired: it is a hint, and proves nothing of the user.
 */
export async function readIdTokenHint(service: Service, text: string): Promise<IdTokenHint | undefined> {
  const jwt = readCompactJwt(text);
  const keys = publicKeysOf(service);
  if (jwt === undefined || keys === undefined) return undefined;
  const { typ } = jwt.header;
  // An access token as a JWT (RFC 9068) has the same issuer and the same keys.
  if (typ !== undefined && (typeof typ !== "string" || typ.toUpperCase() !== "JWT")) return undefined;
  const { iss, sub, aud } = jwt.payload;
  if (iss !== service.settings.issuer || typeof sub !== "string" || sub === "") return undefined;
  const audience: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audience.every((value) => typeof value === "string")) return undefined;
  if ((await signatureDefect(text, keys, algorithms)) !== undefined) return undefined;
  return { subject: sub, audience };
}

const known = new WeakMap<Service, IssuerKeys>();

/** The public halves of the service's keys; a service that has none made no ID token. */
function publicKeysOf(service: Service): IssuerKeys | undefined {
  const { jwks } = service.settings;
  if (jwks === undefined) return undefined;
  let keys = known.get(service);
  if (keys === undefined) known.set(service, (keys = localKeys({ keys: publicKeys(jwks) })));
  return keys;
}

function publicKeys(jwks: string): JsonWebKey[] {
  const { keys } = JSON.parse(jwks) as { keys: JsonWebKey[] };
  return keys
    .filter(({ kty }) => kty !== "oct")
    .map((key) => {
      const { kid, alg, use } = key;
      return Object.assign(createPublicKey({ key, format: "jwk" }).export({ format: "jwk" }), { kid, alg, use });
    });
}
