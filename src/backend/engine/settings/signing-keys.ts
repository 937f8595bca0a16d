import { createPrivateKey, createPublicKey, sign, verify, type JsonWebKey, type KeyObject } from "node:crypto";
import { algorithmsOfKey } from "../../../jose/algorithms-of-key.ts";
import { localKeys, type IssuerKeys } from "../../../jose/verify-signature.ts";
import type { SigningAlgorithm } from "../../../oauth/registered-names.ts";
import type { ServiceSettings } from "./settings.ts";

/** A key of a service's `jwks`. */
interface SigningKey {
  readonly kid: string | undefined;
  /** The algorithms for signing: by the key's type and its `alg`, `use` and `key_ops` (RFC 7517 §4). */
  readonly algorithms: readonly SigningAlgorithm[];
  /** `undefined`: only the public half is stored, to check signatures of an earlier key. */
  readonly privateKey: KeyObject | undefined;
  /** What may be published. */
  readonly publicJwk: Readonly<Record<string, unknown>>;
}

/** The keys of a service, parsed once a version of its settings. */
export interface SigningKeys {
  readonly keys: readonly SigningKey[];
  /** The JWK Set of the public halves (RFC 7517 §5): what `service/jwks/get` answers. */
  readonly publicJwks: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
  /** The algorithms for checking the service's own signatures. */
  readonly verificationKeys: IssuerKeys;
}

/** A private key with its algorithm. */
export interface ChosenKey {
  readonly alg: SigningAlgorithm;
  readonly kid: string | undefined;
  readonly privateKey: KeyObject;
}

/** The service has no usable signing key: its configuration is wrong. */
export class SigningKeyUnusable extends Error {
  override readonly name = "SigningKeyUnusable";
}

type Jwk = JsonWebKey & {
  readonly kid?: unknown;
  readonly alg?: unknown;
  readonly use?: unknown;
  readonly key_ops?: unknown;
};

/**
 * Reads a JWK Set with private keys; without a set there are no keys. Symmetric keys are skipped: a service signs
 * nothing with a secret. Throws {@link SigningKeyUnusable}, which quotes nothing, for an invalid set.
 */
export function readSigningKeys(jwks: string | undefined): SigningKeys {
  const keys = (jwks === undefined ? [] : readSet(jwks)).filter(({ kty }) => kty !== "oct").map(readKey);
  const publicJwks = { keys: keys.map(({ publicJwk }) => publicJwk) };
  return { keys, publicJwks, verificationKeys: localKeys(publicJwks) };
}

/**
 * The key for an algorithm: among the fitting ones, that with the given `kid`, or else the only one (Authlete's API);
 * `undefined` when there is none, or when several fit and none is named.
 */
export function chooseSigningKey(
  { keys }: SigningKeys,
  alg: SigningAlgorithm,
  kid: string | undefined,
): ChosenKey | undefined {
  const fitting = keys.filter((key) => key.privateKey !== undefined && key.algorithms.includes(alg));
  const chosen = fitting.find((key) => kid !== undefined && key.kid === kid) ?? only(fitting);
  return chosen?.privateKey && { alg, kid: chosen.kid, privateKey: chosen.privateKey };
}

/** The key for the service's JWT access tokens, `undefined` where they are opaque (RFC 9068 §2.1). */
export function accessTokenKey(service: {
  readonly settings: ServiceSettings;
  readonly signingKeys: SigningKeys;
}): ChosenKey | undefined {
  const { accessTokenSignAlg: alg, accessTokenSignatureKeyId: kid } = service.settings;
  if (alg === undefined) return undefined;
  const key = chooseSigningKey(service.signingKeys, alg, kid);
  // An opaque token instead would be one that no resource server of this service expects.
  if (key === undefined) throw new SigningKeyUnusable(`The service has no key to sign access tokens with by ${alg}.`);
  return key;
}

function only<Element>(elements: readonly Element[]): Element | undefined {
  return elements.length === 1 ? elements[0] : undefined;
}

function readSet(text: string): readonly Jwk[] {
  const keys = parse(text);
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === "object" && key !== null)) throw unusable();
  return keys as Jwk[];
}

/** JSON.parse quotes invalid text, and this text is a secret. */
function parse(text: string): unknown {
  try {
    return (JSON.parse(text) as { readonly keys?: unknown } | null)?.keys;
  } catch {
    throw unusable();
  }
}

function readKey(jwk: Jwk): SigningKey {
  const privateKey = jwk.d === undefined ? undefined : importKey(() => createPrivateKey({ key: jwk, format: "jwk" }));
  const publicKey = importKey(() => createPublicKey(privateKey ?? { key: jwk, format: "jwk" }));
  if (privateKey !== undefined && !importKey(() => isPair(privateKey, publicKey))) throw unusable();
  const kid = textOf(jwk.kid);
  const [alg, use] = [textOf(jwk.alg), textOf(jwk.use)];
  return {
    kid,
    algorithms: algorithmsOfKey(jwk, publicKey, "sign"),
    privateKey,
    publicJwk: {
      ...publicKey.export({ format: "jwk" }),
      ...(kid !== undefined && { kid }),
      ...(alg !== undefined && { alg }),
      ...(use !== undefined && { use }),
    },
  };
}

/** The two halves of a JWK are not compared: only a signature shows whether they belong together. */
function isPair(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const algorithm = privateKey.asymmetricKeyType === "ed25519" ? null : "sha256";
  return verify(algorithm, probe, publicKey, sign(algorithm, probe, privateKey));
}

const probe = Buffer.from("certbound");

/** node:crypto's own words for a bad key may quote it. */
function importKey<Result>(create: () => Result): Result {
  try {
    return create();
  } catch {
    throw unusable();
  }
}

function unusable(): SigningKeyUnusable {
  return new SigningKeyUnusable("The service's jwks is not a JWK Set of keys that can be read (RFC 7517 §5).");
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
