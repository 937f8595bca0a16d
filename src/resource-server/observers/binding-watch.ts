import { LRUCache } from "lru-cache";
import type { ActiveTokenFacts } from "../../oauth/access-token-decision.ts";
import type { TokenDescription } from "../decision/access-token.ts";
import { oneLine } from "../refusal/diagnosis.ts";
import type { ResourceServerClocks, Warning } from "../environment.ts";

/** Looks at what was found out about tokens. */
export interface BindingWatch {
  /**
   * Whether with this token its client has lost its binding: true once, until the client is bound again. `now` is the
   * issuer's time, milliseconds since 1970.
   */
  look(facts: ActiveTokenFacts, accessToken: TokenDescription, now: number): boolean;
}

export interface BindingWatchOptions extends Pick<ResourceServerClocks, "monotonicClock"> {
  readonly issuer: string | undefined;
  readonly warn: (warning: Warning) => void;
  /** Clients kept in mind; default 10,000. */
  readonly maxClients?: number;
}

/** A client that was seen with a bound token. */
interface BoundClient {
  /** When the token was issued that it was last judged by, seconds since 1970. */
  readonly issuedAt: number | undefined;
  readonly lost: boolean;
  /** When the operator was last warned, on the monotonic clock. */
  readonly warnedAt: number | undefined;
}

/** A client that changes to and fro is told of once in this time; milliseconds. */
const quiet = 60_000;

/**
 * Notices when a client whose tokens were certificate-bound comes with one that is not: its certificate is no longer
 * asked for, or somebody else gets tokens in its name.
 *
 * Only active tokens count, and where the answers say when a token was issued (`iat`), only one that is not older
 * than what is known: what is left from before a client was bound is no loss, and an old bound token no recovery. A
 * binding that is malformed, or not checked here, is a binding. Clients without any bound token take no room.
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
      // An instant to come would hide everything until then.
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
      `The tokens of client ${JSON.stringify(oneLine(clientId, 200))}${ofIssuer} were bound to a certificate, and now ` +
      "one has come that is not: a stolen token of this client opens every route that does not require a binding.",
  };
}
