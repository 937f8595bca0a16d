import type { OpenInvalidationEvents } from "../../api-client/introspection-caller.ts";
import type { TokenRecord } from "./introspection-answer.ts";

/**
 * Provides the facts about tokens of one issuer; an answer depends on the token only and serves every request.
 *
 * It does not cache, limit or decide: the resource server does this for every source.
 */
export interface FactsSource {
  /** The issuer of the tokens (RFC 8414 §2), if the source knows it. */
  readonly issuer?: string | undefined;
  /**
   * Rejects with `IntrospectionUnavailable` or `IntrospectionMalformed` if the token could not be checked (without any
   * statement about it), and with any error after `signal` was aborted, when nobody waits any more.
   */
  ask(token: string, options: { readonly signal: AbortSignal }): Promise<FactsAnswer>;
  /**
   * Whether this token claims to be from this issuer. With several issuers this only chooses the source; `ask` must
   * verify it. Absent: the tokens are opaque.
   */
  readonly claims?: (token: string) => boolean;
  /** `true`: it never returns a token with another audience (`aud`) as active. */
  readonly checksAudience?: boolean | undefined;
  /** The stream of invalidation events, if there is one. */
  readonly events?: OpenInvalidationEvents | undefined;
  /** Closes the connections that the source opened. */
  close(): Promise<void>;
}

/**
 * The `iss` of the tokens of a source, if they are JWTs: the choice among several sources reads a token once, instead
 * of calling `claims` of each source.
 */
export const issuerInTokens = new WeakMap<FactsSource, string>();

/** The answer of a source about one token. */
export interface FactsAnswer {
  readonly record: TokenRecord;
  /**
   * What the clock that set `exp` and `nbf` showed at the answer, milliseconds since 1970: the rest of the token's life
   * is measured from there, on a monotonic clock. Default: this process's clock when the answer arrives.
   */
  readonly answeredAt?: number | undefined;
  /** The invalidation keys: an event with one of them invalidates the answer. */
  readonly invalidationKeys: readonly string[];
  /** The approximate size of the answer in octets. */
  readonly size: number;
  /** `false`: for this request only; not cached. */
  readonly reusable: boolean;
}
