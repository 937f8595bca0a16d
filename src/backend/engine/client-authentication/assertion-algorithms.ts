import type { AssertionAlgorithm, ClientSettings, SigningAlgorithm } from "../management/settings.ts";

const asymmetric: readonly SigningAlgorithm[] = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
];

/** RFC 7518 §3.2: a secret has at least as many octets as the hash. */
const octetsNeeded = { HS256: 32, HS384: 48, HS512: 64 } as const;

/**
 * The algorithms that a client's assertions may have: of its method's, the one it is registered with, else all.
 *
 * @example assertionAlgorithms({ tokenAuthMethod: "PRIVATE_KEY_JWT", tokenAuthSignAlg: "ES256" }) // ["ES256"]
 */
export function assertionAlgorithms(
  client: Pick<ClientSettings, "tokenAuthMethod" | "tokenAuthSignAlg" | "clientSecret">,
): readonly AssertionAlgorithm[] {
  const { tokenAuthSignAlg } = client;
  const fitting = ofMethod(client);
  return tokenAuthSignAlg === undefined ? fitting : fitting.filter((algorithm) => algorithm === tokenAuthSignAlg);
}

function ofMethod({
  tokenAuthMethod,
  clientSecret = "",
}: Pick<ClientSettings, "tokenAuthMethod" | "clientSecret">): readonly AssertionAlgorithm[] {
  if (tokenAuthMethod === "PRIVATE_KEY_JWT") return asymmetric;
  if (tokenAuthMethod !== "CLIENT_SECRET_JWT") return [];
  const octets = Buffer.byteLength(clientSecret);
  return (["HS256", "HS384", "HS512"] as const).filter((algorithm) => octets >= octetsNeeded[algorithm]);
}
