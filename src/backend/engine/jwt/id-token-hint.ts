import { readCompactJwt } from "../../../oauth/compact-jwt.ts";
import { signatureDefect } from "../../../jose/verify-signature.ts";
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
  if (jwt === undefined) return undefined;
  const { typ } = jwt.header;
  // An access token as a JWT (RFC 9068) has the same issuer and the same keys.
  if (typ !== undefined && (typeof typ !== "string" || typ.toUpperCase() !== "JWT")) return undefined;
  const { iss, sub, aud } = jwt.payload;
  if (iss !== service.settings.issuer || typeof sub !== "string" || sub === "") return undefined;
  const audience: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audience.every((value) => typeof value === "string")) return undefined;
  if ((await signatureDefect(text, service.signingKeys.verificationKeys, algorithms)) !== undefined) return undefined;
  return { subject: sub, audience };
}
