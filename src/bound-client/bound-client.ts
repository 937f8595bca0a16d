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

/** Selects the token for a request that the program sends itself. */
export interface AccessTokenRequest extends TargetOptions {
  /** Aborts the wait of this caller only. */
  readonly signal?: AbortSignal | undefined;
}

/** Sends requests that present the client's certificate and carry tokens bound to it. */
export interface BoundClient {
  /** The thumbprint of the certificate that new connections present (RFC 8705 §3.1). */
  readonly x5tS256: string;
  /**
   * Returns a token bound to that certificate, from the cache or newly issued.
   *
   * Rejects with `TokenRequestRefused`, `AuthorizationServerUnavailable`, `AuthorizationServerMalformed`, or the
   * signal's reason.
   */
  accessToken(request?: AccessTokenRequest): Promise<HeldToken>;
  /**
   * Removes a token from the cache, after an API rejected it (`invalid_token`). `got` and the dispatcher do this
   * themselves.
   */
  forget(accessToken: string): void;
  /** A got instance that presents the certificate to every https: server and the token to the resource servers only. */
  readonly got: Got;
  /** An agent for `https.request` that presents the certificate. The program adds the token itself. */
  readonly agent: Agent;
  /** A dispatcher for this undici module (`request`, `fetch`, …) that does the same as `got`. */
  dispatcher<Module extends Undici>(undici: Module): InstanceType<Module["Dispatcher"]>;
  /**
   * Presents another certificate from now on. Throws like `createBoundClient`, and then changes nothing.
   *
   * Running requests finish with the old certificate. Its connections and tokens are not used for new requests
   * (RFC 8705 §6.3).
   */
  rotate(pair: KeyPairOptions): void;
  /** Waits for running requests, and returns no more tokens. */
  close(): Promise<void>;
}

const pairNames = new Set(["certificate", "key", "passphrase"]);
const requestNames = new Set(["scope", "resource", "signal"]);

/**
 * Does the same as `createBoundClient`, with these clocks unless the options have their own.
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
        // The certificate was rotated meanwhile, so the result or error of the old one does not matter.
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
 * Creates a client of protected APIs. It presents its certificate, and fetches, caches and renews the access tokens that
 * are bound to it (RFC 8705 §3).
 *
 * It always verifies servers and uses TLS 1.2 or later. Throws a `TypeError` with a `code` for wrong options, including
 * an unreadable certificate or key.
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
