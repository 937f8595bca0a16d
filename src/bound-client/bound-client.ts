import type { Agent } from "node:https";
import type { Got } from "got";
import { refuseUnknownOptions } from "../options/refuse-unknown-options.ts";
import { type BoundClientOptions, resolveBoundClientOptions } from "./bound-client-options.ts";
import { createBoundDispatcher, type Undici } from "./bound-dispatcher.ts";
import { createBoundGot } from "./bound-got.ts";
import type { TokenClocks, HeldToken, TokenTarget } from "./bound-tokens.ts";
import { createPresenter, type Outgoing, type Presenter, within, RotatingAgent } from "./presenter.ts";
import { type KeyPairOptions, readKeyPair } from "./read-key-pair.ts";
import { createTokenRequest } from "./request-token.ts";
import { AuthorizationServerUnavailable } from "./token-errors.ts";
import { readTarget, type TargetOptions } from "./token-targets.ts";

/** A token for a request that the program makes by itself. */
export interface AccessTokenRequest extends TargetOptions {
  /** Ends this caller's waiting, nobody else's. */
  readonly signal?: AbortSignal | undefined;
}

/** Calls that present the client's certificate, with tokens bound to it. */
export interface BoundClient {
  /** The thumbprint of the certificate that new connections present (RFC 8705 §3.1). */
  readonly x5tS256: string;
  /**
   * A token bound to that certificate: a kept one, or a new one.
   *
   * Rejects with `TokenRequestRefused`, `AuthorizationServerUnavailable`, `AuthorizationServerMalformed`, or the
   * signal's reason.
   */
  accessToken(request?: AccessTokenRequest): Promise<HeldToken>;
  /** Says that an API refused a token (`invalid_token`): it is not given again. `got` and the dispatcher do it themselves. */
  forget(accessToken: string): void;
  /** A got that presents the certificate to every https: server and the token to the resource servers only. */
  readonly got: Got;
  /** For `https.request` and what takes an agent: presents the certificate; the token is the program's to add. */
  readonly agent: Agent;
  /** A dispatcher of this undici, for its `request`, `fetch` and others; does what `got` does. */
  dispatcher<Module extends Undici>(undici: Module): InstanceType<Module["Dispatcher"]>;
  /**
   * Presents another certificate from now on; throws as the creation does, and then nothing has changed.
   *
   * Requests under way end as they began. Connections and tokens of the old certificate are not used any more
   * (RFC 8705 §6.3).
   */
  rotate(pair: KeyPairOptions): void;
  /** Lets requests under way end and gives no more tokens. */
  close(): Promise<void>;
}

const pairNames = new Set(["certificate", "key", "passphrase"]);
const requestNames = new Set(["scope", "resource", "signal"]);

/**
 * Opens a bound client with these clocks where the options name none; see `createBoundClient`.
 *
 * @example openBoundClient(options, { clock: Date.now, monotonicClock: () => performance.now() })
 */
export function openBoundClient(options: BoundClientOptions, clocks: TokenClocks): BoundClient {
  const resolved = resolveBoundClientOptions(options, clocks);
  const usual = readTarget(options);
  const requestToken = createTokenRequest(resolved);
  const present = (pair: KeyPairOptions): Presenter =>
    createPresenter(readKeyPair(pair, resolved.ca), requestToken, resolved);
  let presenter = present(options);
  let closed = false;
  const isCurrent = (one: Presenter): boolean => one === presenter && !closed;

  const obtain = async (target: TokenTarget): Promise<{ presenter: Presenter; held: HeldToken }> => {
    for (;;) {
      if (closed) throw new AuthorizationServerUnavailable("The bound client is closed.", "ERR_CLOSED");
      const asked = presenter;
      try {
        const held = await asked.tokens.obtain(target);
        if (isCurrent(asked)) return { presenter, held };
      } catch (error) {
        // What was asked for with a certificate that is gone has no importance any more, nor how it ended.
        if (isCurrent(asked)) throw error;
      }
    }
  };

  const outgoing: Outgoing = {
    current: () => presenter,
    targetOf: resolved.targetOf,
    async obtain(target) {
      const { presenter, held } = await obtain(target);
      return { presenter, accessToken: held.accessToken };
    },
  };

  return {
    get x5tS256() {
      return presenter.keyPair.x5tS256;
    },
    async accessToken(request = {}) {
      refuseUnknownOptions(request, requestNames);
      const { signal } = request;
      signal?.throwIfAborted();
      const { held } = await within(signal, obtain(readTarget(request, usual)));
      const { accessToken, expiresAt, scopes } = held;
      return { accessToken, expiresAt, scopes };
    },
    forget(accessToken) {
      presenter.tokens.forget(accessToken);
    },
    got: createBoundGot(outgoing),
    agent: new RotatingAgent(() => presenter.agent),
    dispatcher: (undici) => createBoundDispatcher(undici, outgoing),
    rotate(pair) {
      refuseUnknownOptions(pair, pairNames);
      const old = presenter;
      presenter = present(pair);
      void old.retire();
    },
    async close() {
      closed = true;
      await presenter.retire();
    },
  };
}

/**
 * Creates a client of protected APIs: it presents its certificate, and fetches, keeps and renews the access tokens
 * that are bound to it (RFC 8705 §3).
 *
 * Servers are always verified, TLS is 1.2 at least. Throws a `TypeError` with a `code` for wrong options, an
 * unreadable certificate or key among them.
 *
 * @example const client = createBoundClient({
 *   certificate, key, clientId: "4711",
 *   authorizationServer: { issuer: "https://as.example.com" }, resourceServers: ["https://api.example.com"],
 * })
 * const accounts = await client.got("https://api.example.com/accounts").json()
 */
export function createBoundClient(options: BoundClientOptions): BoundClient {
  return openBoundClient(options, { clock: Date.now, monotonicClock: () => performance.now() });
}
