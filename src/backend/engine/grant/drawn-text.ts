import type { Random } from "../dependencies.ts";

/** 256 bits: a guess succeeds with a probability far below 2^-160 (RFC 6749 §10.10). */
const secretOctets = 32;
/** 128 bits: unique among all grants; not a secret. */
const grantIdOctets = 16;

/** The raw text of a token, a code or a ticket, in base64url; possession is enough to use it. */
export function drawSecret(random: Random): string {
  return drawText(random, secretOctets);
}

/** The id of a new grant. */
export function drawGrantId(random: Random): string {
  return drawText(random, grantIdOctets);
}

function drawText(random: Random, octets: number): string {
  return Buffer.from(random(octets)).toString("base64url");
}
