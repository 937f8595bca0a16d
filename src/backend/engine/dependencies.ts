import type { NoteFacts } from "../service-operations.ts";
import type { Store } from "../store/store.ts";

/** All that the engine is handed; it reads no clock, no randomness and no environment of its own. */
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
  /** Takes what is found out of one call, for the operator's log; of that call alone. */
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

/** Encryption of secrets at rest. `context` says what the secret is of; a box opens only under the same context. */
export interface SecretBox {
  /** Text that differs each time. */
  seal(plaintext: string, context: string): string;
  /** Throws when the text was sealed under another key or context, or was changed. */
  open(sealed: string, context: string): string;
  /** 32 octets, equal for equal texts and telling nothing of them without the key. */
  tag(text: string): Uint8Array;
}

/** A certificate path to decide over; every certificate as DER. */
export interface CertificatePath {
  readonly leaf: Uint8Array;
  /** What the client sent besides, in any order. */
  readonly intermediates: readonly Uint8Array[];
  /** Nothing else is ever trusted: never the system's own anchors. */
  readonly anchors: readonly Uint8Array[];
}

/** `reason` is for the operator: the verifier's own words. */
export type ChainVerdict = { readonly trusted: true } | { readonly trusted: false; readonly reason: string };

/**
 * Path validation per RFC 5280 for TLS clients; rejects with `ChainVerificationFailure` when it could not find out.
 *
 * `client` is who the path is said to be of, as one text: clients take turns, whoever presents paths in their names.
 */
export interface ChainVerifier {
  verify(path: CertificatePath, client: string): Promise<ChainVerdict>;
}

/** A JWK Set (RFC 7517 §5); of its keys nothing is known but that they are objects. */
export interface KeySet {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

/**
 * The JWK Sets that clients keep at a URL of their own; each is the same object until another is had.
 *
 * How old a set may be, and how often a client may be asked for it, is decided here.
 */
export interface RemoteJwks {
  /** Rejects with `RemoteJwksFailure` when there is none that is young enough. */
  latest(uri: string): Promise<KeySet>;
  /** One that is newer than `known`, or `known` when none may be fetched now, or can be. */
  renewed(uri: string, known: KeySet): Promise<KeySet>;
}
