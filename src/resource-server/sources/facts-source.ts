import type { OpenInvalidationEvents } from "../../api-client/introspection-caller.ts";
import type { TokenRecord } from "./introspection-answer.ts";

/**
 * Where the facts about tokens of one issuer come from: a question is one token, the answer is good for every asker.
 *
 * It neither remembers nor limits nor decides: that is done around it, the same for every source.
 */
export interface FactsSource {
  /** The issuer whose tokens these are (RFC 8414 §2), where the source knows. */
  readonly issuer?: string | undefined;
  /**
   * Rejects with `IntrospectionUnavailable` or `IntrospectionMalformed` when nothing could be found out (never with a
   * word about the token then), with anything when `signal` was aborted: nobody waits any more.
   */
  ask(token: string, options: { readonly signal: AbortSignal }): Promise<FactsAnswer>;
  /**
   * Whether this token claims to be one of this issuer's. A claim and no more: where several issuers stand side by
   * side it chooses whom to ask, and `ask` must then prove it. Absent: its tokens say nothing of themselves.
   */
  readonly claims?: (token: string) => boolean;
  /** `true`: no token that is meant for others (`aud`) is called active by it. */
  readonly checksAudience?: boolean | undefined;
  /** The stream of events that make answers void, where there is one. */
  readonly events?: OpenInvalidationEvents | undefined;
  /** Ends the connections that the source has opened itself. */
  close(): Promise<void>;
}

/**
 * The `iss` of the tokens of a source, where they are JWTs: who chooses among several sources reads a token once for all
 * of them, instead of calling `claims` of each.
 */
export const issuerInTokens = new WeakMap<FactsSource, string>();

/** What a source of facts answers about one token. */
export interface FactsAnswer {
  readonly record: TokenRecord;
  /**
   * What the clock that `exp` and `nbf` are of showed when the answer was made, milliseconds since 1970: how much of the
   * token's life is left is counted from there, on a monotonic clock. Default: this process's own clock when the answer
   * came.
   */
  readonly answeredAt?: number | undefined;
  /** What the answer rests on: an invalidation event that names one of these makes it void. */
  readonly invalidationKeys: readonly string[];
  /** About how many octets remembering it takes. */
  readonly size: number;
  /** `false`: good for the one who asked, and not to be remembered. */
  readonly reusable: boolean;
}
