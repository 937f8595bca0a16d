import { isThumbprint } from "../../../oauth/confirmation.ts";
import { tokenDigest } from "../../../oauth/token-digest.ts";
import type { StoredAccessToken, StoredRefreshToken, Store } from "../../store/store.ts";

const digestOctets = 32;

/** Finds an access token by its value, in either form, or by the hash that lists name it by (Authlete's API). */
export function findIdentifiedAccessToken(
  store: Store,
  serviceId: number,
  identifier: string,
): Promise<StoredAccessToken | undefined> {
  return firstOf(identifier, (digest) => store.readAccessToken(serviceId, digest));
}

/** The same of a refresh token; one that has been consumed still names its grant. */
export function findIdentifiedRefreshToken(
  store: Store,
  serviceId: number,
  identifier: string,
): Promise<StoredRefreshToken | undefined> {
  return firstOf(identifier, (digest) => store.readRefreshToken(serviceId, digest));
}

/** The digests of the tokens that an identifier may name: its own, and the one that it spells. */
export function digestsOfIdentifier(identifier: string): readonly Uint8Array[] {
  const digest = readTokenHash(identifier);
  return [tokenDigest(identifier), ...(digest === undefined ? [] : [digest])];
}

/** The octets of a hash as lists have it, or `undefined` for any other text. */
export function readTokenHash(text: string): Uint8Array | undefined {
  // The one canonical spelling of 32 octets, as of a thumbprint.
  if (!isThumbprint(text)) return undefined;
  // A separate buffer, like every digest that is sent to the store's worker.
  const octets = Buffer.alloc(digestOctets);
  octets.write(text, "base64url");
  return octets;
}

/** A token's value first: it may look like a hash. */
async function firstOf<Token>(
  identifier: string,
  read: (digest: Uint8Array) => Promise<Token | undefined>,
): Promise<Token | undefined> {
  for (const digest of digestsOfIdentifier(identifier)) {
    const token = await read(digest);
    if (token !== undefined) return token;
  }
  return undefined;
}
