import { LRUCache } from "lru-cache";
import type { ActiveTokenFacts } from "../../oauth/access-token-decision.ts";
import type { TokenDescription } from "../decision/access-token.ts";
import { oneLine } from "../refusal/diagnosis.ts";
import type { ResourceServerClocks, Warning } from "../environment.ts";

/** Watches the facts of tokens for clients that lose their binding. */
export interface BindingWatch {
  /**
   * Whether this token shows that its client has lost its binding: true once, until the client is bound again. `now` is
   * the issuer's time, milliseconds since 1970.
   */
  look(facts: ActiveTokenFacts, accessToken: TokenDescription, now: number): boolean;
}

export interface BindingWatchOptions extends Pick<ResourceServerClocks, "monotonicClock"> {
  readonly issuer: string | undefined;
  readonly warn: (warning: Warning) => void;
  /** The maximum number of clients; default 10,000. */
  readonly maxClients?: number;
}

/** A client that was seen with a bound token. */
interface BoundClient {
  /** When its latest token was issued, seconds since 1970. */
  readonly issuedAt: number | undefined;
  readonly lost: boolean;
  /** When the operator was last warned, on the monotonic clock. */
  readonly warnedAt: number | undefined;
}

/** Minimum time between two warnings about the same client, in milliseconds. */
const quiet = 60_000;

/**
 * Detects a client whose tokens were certificate-bound and that sends an unbound one: the authorization server no
 * longer requests its certificate, or somebody else obtains tokens in its name.
 *
 * Ignores inactive tokens and, if answers have `iat`, tokens issued before the latest known one: an old unbound token
 * is not a loss, and an old bound one not a recovery. A malformed or unsupported binding counts as a binding. Clients
 * without a bound token take no memory.
 *
 * @example if (watch.look(facts, accessToken, now)) …
 */
export function createBindingWatch(options: BindingWatchOptions): BindingWatch {
  const { issuer, warn, monotonicClock, maxClients = 10_000 } = options;
  const clients = new LRUCache<string, BoundClient>({ max: maxClients });

  return {
    look(facts, { clientId, iat }, milliseconds) {
      const now = milliseconds / 1000;
      if (clientId === undefined || !isInForce(facts, now)) return false;
      // An instant in the future would hide all tokens until then.
      const issuedAt = iat === undefined ? undefined : Math.min(iat, now);
      const known = clients.get(clientId);
      if (known?.issuedAt !== undefined && issuedAt !== undefined && issuedAt < known.issuedAt) return false;
      if (facts.confirmation.kind !== "none") {
        clients.set(clientId, { issuedAt, lost: false, warnedAt: known?.warnedAt });
        return false;
      }
      if (known === undefined || known.lost) return false;
      const at = monotonicClock();
      const loud = known.warnedAt === undefined || at - known.warnedAt >= quiet;
      clients.set(clientId, { issuedAt, lost: true, warnedAt: loud ? at : known.warnedAt });
      if (loud) warn(bindingLost(clientId, issuer));
      return true;
    },
  };
}

function isInForce({ exp, nbf }: ActiveTokenFacts, now: number): boolean {
  return (exp === undefined || now < exp) && (nbf === undefined || now >= nbf);
}

function bindingLost(clientId: string, issuer: string | undefined): Warning {
  const ofIssuer = issuer === undefined ? "" : ` of the issuer ${issuer}`;
  return {
    code: "CERTBOUND_BINDING_LOST",
    message:
      `The tokens of client ${JSON.stringify(oneLine(clientId, 200))}${ofIssuer} were bound to a certificate, and ` +
      "one came that is not: a stolen token of this client gives access to every route that does not require a binding.",
  };
}
