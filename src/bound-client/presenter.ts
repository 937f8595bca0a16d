import type { ClientRequest } from "node:http";
import { Agent, type RequestOptions } from "node:https";
import type { Duplex } from "node:stream";
import { checkServerIdentity } from "node:tls";
import {
  type BoundTokens,
  type TokenClocks,
  createBoundTokens,
  type TokenTarget,
  type IssuedToken,
} from "./bound-tokens.ts";
import type { KeyPair } from "./read-key-pair.ts";
import type { TargetOf } from "./token-targets.ts";

/** Connections that present one certificate. TLS sessions are its own, so none is resumed with another certificate. */
class PresentingAgent extends Agent {
  #retired = false;

  constructor({ secureContext }: KeyPair, { keepAlive }: { readonly keepAlive: boolean }) {
    // An agent's options override those of a request and NODE_TLS_REJECT_UNAUTHORIZED.
    super({ keepAlive, secureContext, rejectUnauthorized: true, checkServerIdentity });
  }

  /** Running requests finish on their connections; no connection is used again. */
  retire(): void {
    this.#retired = true;
    for (const sockets of Object.values(this.freeSockets)) for (const socket of [...(sockets ?? [])]) socket.destroy();
  }

  override keepSocketAlive(socket: Duplex): boolean {
    const keep = (super.keepSocketAlive as unknown as (socket: Duplex) => boolean).call(this, socket);
    return keep && !this.#retired;
  }
}

/** The method with which Node passes a request to any agent; missing in its types. */
interface TakesRequests {
  addRequest(request: ClientRequest, options: RequestOptions, ...more: unknown[]): void;
}

/**
 * An agent that never changes: it passes each request to the agent of the current certificate.
 *
 * @example https.request(url, { agent: new RotatingAgent(() => presenter.agent) })
 */
export class RotatingAgent extends Agent {
  readonly #current: () => Agent;

  constructor(current: () => Agent) {
    super({ keepAlive: true });
    this.#current = current;
  }

  addRequest(...handed: Parameters<TakesRequests["addRequest"]>): void {
    (this.#current() as unknown as TakesRequests).addRequest(...handed);
  }

  override destroy(): void {
    this.#current().destroy();
  }
}

/** One certificate, the connections that present it, and the tokens bound to it. */
export interface Presenter {
  readonly keyPair: KeyPair;
  readonly agent: Agent;
  readonly tokens: BoundTokens;
  /** Registers a function to call once when the presenter retires; called immediately if it already has. */
  onRetired(end: () => Promise<void>): void;
  /** Closes idle connections, and resolves when the functions registered with `onRetired` have finished. */
  retire(): Promise<void>;
}

/** Requests a token over connections of this agent. */
export type RequestToken = (target: TokenTarget, agent: Agent, signal: AbortSignal) => Promise<IssuedToken>;

/** Creates a presenter for this certificate. A rotation creates a new one, so that old and new never mix. */
export function createPresenter(keyPair: KeyPair, requestToken: RequestToken, clocks: TokenClocks): Presenter {
  const agent = new PresentingAgent(keyPair, { keepAlive: true });
  // Token requests are rare: the server would usually have closed a kept-alive connection in the meantime.
  const tokenAgent = new PresentingAgent(keyPair, { keepAlive: false });
  const tokens = createBoundTokens((target, signal) => requestToken(target, tokenAgent, signal), clocks);
  const endings: (() => Promise<void>)[] = [];
  let retired = false;
  return {
    keyPair,
    agent,
    tokens,
    onRetired(end) {
      if (retired) void Promise.allSettled([end()]);
      else endings.push(end);
    },
    async retire() {
      retired = true;
      agent.retire();
      tokens.end();
      await Promise.allSettled(endings.splice(0).map((end) => end()));
    },
  };
}

/** What got and the dispatcher need to send requests. */
export interface Outgoing {
  /** The presenter of the current certificate. */
  readonly current: () => Presenter;
  readonly targetOf: TargetOf;
  /** A token, and the presenter of the certificate that it is bound to: both must be used on the same connection. */
  readonly obtain: (target: TokenTarget) => Promise<{ readonly presenter: Presenter; readonly accessToken: string }>;
}

/**
 * Waits for a result until the signal aborts, and then rejects with its reason. The work itself continues.
 *
 * @example const { held } = await within(signal, obtain(target))
 */
export function within<Result>(signal: AbortSignal | undefined, result: Promise<Result>): Promise<Result> {
  if (signal === undefined) return result;
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    void result.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", abort);
    });
  });
}
