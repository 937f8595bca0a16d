import type { TokenPosition } from "../../store/store.ts";

/** Enough for every instant that a token may expire at. */
const instantOctets = 6;
const digestOctets = 32;
const octetsOfCursor = 2 * instantOctets + digestOctets;

/**
 * Where a list goes on, as an opaque text of 59 characters: the key of the token before.
 *
 * @example formatListCursor({ expiresAt: 1_640_419_200_000, createdAt: 1_640_415_600_000, digest })
 */
export function formatListCursor({ expiresAt, createdAt, digest }: TokenPosition): string {
  const octets = Buffer.alloc(octetsOfCursor);
  octets.writeUIntBE(expiresAt, 0, instantOctets);
  octets.writeUIntBE(createdAt, instantOctets, instantOctets);
  octets.set(digest, 2 * instantOctets);
  return octets.toString("base64url");
}

/** Reads a cursor of the form that the contract demands; "" is the beginning. */
export function readListCursor(text: string): TokenPosition | undefined {
  if (text === "") return undefined;
  // A buffer of its own: it goes to the store's thread.
  const octets = Buffer.alloc(octetsOfCursor);
  octets.write(text, "base64url");
  return {
    expiresAt: octets.readUIntBE(0, instantOctets),
    createdAt: octets.readUIntBE(instantOctets, instantOctets),
    digest: Uint8Array.from(octets.subarray(2 * instantOctets)),
  };
}
