import { readEndpointUrl } from "../../api-client/api-connection.ts";
import type { IssuerKeys } from "../../jose/verify-signature.ts";
import { IntrospectionMalformed, IntrospectionUnavailable } from "../refusal/introspection-unavailable.ts";
import type { Discovery } from "./discovery.ts";
import type { IssuerConnection } from "./issuer-connection.ts";
import { ed25519Algorithms, signingAlgorithms } from "../../oauth/registered-names.ts";
import { optionError } from "../../options/option-error.ts";

/** The public keys of an issuer: a given set, or one that is fetched. */
export interface IssuerKeysOptions {
  /** The keys themselves (RFC 7517 §5). */
  readonly jwks?: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
  /** The URL of the keys; default: `jwks_uri` of the issuer's metadata. */
  readonly jwksUri?: string;
}

/** Verifies signatures with an issuer's keys. */
export interface KeyRing {
  /**
   * Returns why the signature of a JWS is invalid, for the operator; `undefined` for a valid one.
   *
   * Rejects with `IntrospectionUnavailable` or `IntrospectionMalformed` if the keys are not available.
   */
  defect(jws: string, algorithms: readonly string[]): Promise<string | undefined>;
}

/**
 * Milliseconds: the minimum time between two fetches because of an unknown key, and the time after which keys are
 * fetched again.
 */
const cooldown = 10_000;
const maxAge = 600_000;

const label = "the issuer's key set";

/**
 * Checks the options of the keys; throws a `TypeError` with a `code` that names the wrong one. Fetches nothing yet.
 *
 * @example const ring = openKeyRing({ jwksUri }, connection, undefined)
 */
export function openKeyRing(
  { jwks, jwksUri }: IssuerKeysOptions,
  connection: IssuerConnection,
  discovery: Discovery | undefined,
): KeyRing {
  if (jwks !== undefined && jwksUri !== undefined) throw optionError("jwks", "cannot be combined with jwksUri");
  if (jwks !== undefined) checkKeys(jwks);
  if (jwksUri !== undefined) readEndpointUrl("jwksUri", jwksUri, connection.allowInsecure);
  if (jwks === undefined && jwksUri === undefined && discovery === undefined) {
    throw optionError("jwksUri", "is required, or jwks");
  }
  let keys: Promise<IssuerKeys> | undefined;

  async function open(): Promise<IssuerKeys> {
    const { localKeys, remoteKeys } = await import("../../jose/verify-signature.ts");
    if (jwks !== undefined) return localKeys(structuredClone(jwks));
    const url = jwksUri ?? (await discovery?.jwksUri()) ?? "";
    const fetchJson = () => connection.getJson(label, url, ["application/json", "application/jwk-set+json"]);
    // The connection's timeout comes first; jose's is only a fallback.
    return remoteKeys(new URL(url), { fetchJson, timeout: connection.totalTimeout + 1000, cooldown, maxAge });
  }

  return {
    async defect(jws, algorithms) {
      keys ??= open().catch((error: unknown) => {
        keys = undefined;
        throw error;
      });
      const { KeysUnusable, signatureDefect } = await import("../../jose/verify-signature.ts");
      try {
        return await signatureDefect(jws, await keys, algorithms);
      } catch (error) {
        if (error instanceof KeysUnusable)
          throw new IntrospectionMalformed(`${label}: ${error.message}`, { cause: error });
        if (error instanceof IntrospectionMalformed || error instanceof IntrospectionUnavailable) throw error;
        throw new IntrospectionUnavailable(`${label}: it could not be used`, { cause: error });
      }
    },
  };
}

/** Public keys only: with a secret key, anyone who can read the configuration could issue tokens. */
function checkKeys(jwks: unknown): void {
  const { keys } = (typeof jwks === "object" && jwks !== null ? jwks : {}) as { keys?: unknown };
  if (!Array.isArray(keys) || keys.length === 0) throw optionError("jwks", "must have keys");
  for (const key of keys as unknown[]) {
    if (typeof key !== "object" || key === null) throw optionError("jwks", "must have keys that are objects");
    const { kty } = key as { kty?: unknown };
    if (typeof kty !== "string" || kty === "oct" || "d" in key || "k" in key) {
      throw optionError("jwks", "must have public keys only");
    }
  }
}

/** Algorithms whose signatures a public key verifies; never `none` or `HS…`. */
export const asymmetricAlgorithms: ReadonlySet<string> = new Set(signingAlgorithms);

/** Every issuer supports one of these, and few need others. */
const usualAlgorithms = ["RS256", "PS256", "ES256", ...ed25519Algorithms];

/**
 * Checks an option that lists the signature algorithms to accept.
 *
 * Throws a `TypeError` with a `code`, also for `none`, which would accept everything, and for `HS…`, whose key would be
 * public.
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
