import { createPrivateKey, createPublicKey, sign, verify, type JsonWebKey, type KeyObject } from "node:crypto";
import { algorithmsOfKey } from "../../../jose/algorithms-of-key.ts";
import { localKeys, type IssuerKeys } from "../../../jose/verify-signature.ts";
import type { SigningAlgorithm } from "../../../oauth/registered-names.ts";
import type { ServiceSettings } from "./settings.ts";

/** A key of a service's `jwks`. */
interface SigningKey {
  readonly kid: string | undefined;
  /** What it may sign with: by its type, and by what it says of itself (`alg`, `use`, `key_ops`; RFC 7517 §4). */
  readonly algorithms: readonly SigningAlgorithm[];
  /** `undefined`: the public half is kept, so that what an earlier key has signed can still be checked. */
  readonly privateKey: KeyObject | undefined;
  /** What may be published. */
  readonly publicJwk: Readonly<Record<string, unknown>>;
}

/** The keys of a service, parsed once a version of its settings. */
export interface SigningKeys {
  readonly keys: readonly SigningKey[];
  /** The JWK Set of the public halves (RFC 7517 §5): what `service/jwks/get` answers. */
  readonly publicJwks: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
  /** The same, for checking what the service itself has signed. */
  readonly verificationKeys: IssuerKeys;
}

/** A private key with the algorithm that it is to be used with. */
export interface ChosenKey {
  readonly alg: SigningAlgorithm;
  readonly kid: string | undefined;
  readonly privateKey: KeyObject;
}

/** The keys of the service are none, or none of them is for what is to be signed: the service is set up wrongly. */
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
 * Reads a JWK Set with private keys; without one there are no keys. Symmetric keys are passed over: nothing that leaves
 * the service is signed with a secret. Throws {@link SigningKeyUnusable}, which quotes nothing of it, for what is none.
 */
export function readSigningKeys(jwks: string | undefined): SigningKeys {
  const keys = (jwks === undefined ? [] : readSet(jwks)).filter(({ kty }) => kty !== "oct").map(readKey);
  const publicJwks = { keys: keys.map(({ publicJwk }) => publicJwk) };
  return { keys, publicJwks, verificationKeys: localKeys(publicJwks) };
}

/**
 * The key for an algorithm: of those that fit it the one with that `kid`, or else the only one (Authlete's API);
 * `undefined` when there is none, or when nothing says which of several.
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

/** JSON.parse quotes what it cannot read, and this text is a secret. */
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

/** The two halves of a JWK are taken as they stand: only a signature tells whether they belong together. */
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
