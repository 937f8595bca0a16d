import { ed25519Algorithms, signingAlgorithms } from "../../oauth/registered-names.ts";
import { optionError } from "../../options/option-error.ts";

/** Signatures that a public key verifies: `none` and `HS…` are never among them. */
export const asymmetricAlgorithms: ReadonlySet<string> = new Set(signingAlgorithms);

/** What every issuer can do, and few need more. */
const usualAlgorithms = ["RS256", "PS256", "ES256", ...ed25519Algorithms];

/**
 * Checks an option that lists the signature algorithms to accept.
 *
 * Throws a `TypeError` with a `code`: whoever accepts `none` accepts everything, and an `HS…` key would be a public one.
 *
 * @example readAlgorithms("algorithms", ["ES256"])
 */
export function readAlgorithms(option: string, given: unknown = usualAlgorithms): string[] {
  const isList = Array.isArray(given) && given.length > 0;
  if (!isList || !given.every((alg) => asymmetricAlgorithms.has(alg as string))) {
    throw optionError(option, `must be an array of ${[...asymmetricAlgorithms].join(", ")}`);
  }
  return given as string[];
}
