import { optionError } from "../../options/option-error.ts";

/** Signatures that a public key verifies (RFC 7518 §3.1, RFC 8037, RFC 9864). `none` and `HS…` are not among them, ever. */
export const asymmetricAlgorithms: ReadonlySet<string> = new Set(
  "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519".split(" "),
);

/**
 * Checks an option that lists the signature algorithms to accept.
 *
 * Throws a `TypeError` with a `code`: whoever accepts `none` accepts everything, and an `HS…` key would be a public one.
 *
 * @example readAlgorithms("algorithms", ["ES256"])
 */
export function readAlgorithms(
  option: string,
  given: unknown = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"],
): string[] {
  const isList = Array.isArray(given) && given.length > 0;
  if (!isList || !given.every((alg) => asymmetricAlgorithms.has(alg as string))) {
    throw optionError(option, `must be an array of ${[...asymmetricAlgorithms].join(", ")}`);
  }
  return given as string[];
}
