import type { NoteFacts } from "../service-operations.ts";
import type { Store } from "../store/store.ts";

/** The dependencies of the engine; it reads no clock, randomness or environment by itself. */
export interface Dependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly monotonicClock: MonotonicClock;
  readonly random: Random;
  readonly secretBox: SecretBox;
  readonly chainVerifier: ChainVerifier;
  readonly remoteJwks: RemoteJwks;
  /** Milliseconds from one poll of the store for invalidation events, and its heartbeat, to the next. */
  readonly heartbeatInterval: number;
  /** Records facts about one call for the operator's log. */
  readonly note?: NoteFacts;
  /** Told of what went wrong where no caller waits for an answer; `what` is a clause for the operator's log. */
  readonly reportFault?: (error: unknown, what: string) => void;
}

/** The wall clock: milliseconds since 1970. */
export type Clock = () => number;

/** Milliseconds that never run backwards, from any beginning. */
export type MonotonicClock = () => number;

/** That many octets from a cryptographic source. */
export type Random = (octets: number) => Uint8Array;

/**
 * Encryption of secrets at rest. `context` names the secret's place; a secret can be opened under the same context
 * only.
 */
export interface SecretBox {
  /** Text that differs each time. */
  seal(plaintext: string, context: string): string;
  /** Throws when the text was sealed under another key or context, or was changed. */
  open(sealed: string, context: string): string;
  /** 32 octets, equal for equal texts; without the key they reveal nothing. */
  tag(text: string): Uint8Array;
}

/** A certificate path to decide over; every certificate as DER. */
export interface CertificatePath {
  readonly leaf: Uint8Array;
  /** The client's other certificates, in any order. */
  readonly intermediates: readonly Uint8Array[];
  /** Nothing else is ever trusted: never the system's own anchors. */
  readonly anchors: readonly Uint8Array[];
}

/** `reason` is for the operator: the verifier's own words. */
export type ChainVerdict = { readonly trusted: true } | { readonly trusted: false; readonly reason: string };

/**
 * Path validation per RFC 5280 for TLS clients; rejects with `ChainVerificationFailure` when it failed without a
 * verdict.
 *
 * `client` is the client that the path claims to belong to, as one text: verifications of different clients take turns,
 * so that strangers who use one client's name cannot delay another client.
 */
export interface ChainVerifier {
  verify(path: CertificatePath, client: string): Promise<ChainVerdict>;
}

/** A JWK Set (RFC 7517 §5); of its keys nothing is known but that they are objects. */
export interface KeySet {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

/**
 * The JWK Sets that clients publish at their own URLs; a set stays the same object until a new one is fetched.
 *
 * Implementations decide how old a set may be and how often it may be fetched.
 */
export interface RemoteJwks {
  /** Rejects with `RemoteJwksFailure` when no recent set is available. */
  latest(uri: string): Promise<KeySet>;
  /** A set newer than `known`, or `known` when none may or can be fetched now. */
  renewed(uri: string, known: KeySet): Promise<KeySet>;
}
