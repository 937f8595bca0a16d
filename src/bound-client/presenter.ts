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

/** The connections that present one certificate; its own sessions, so that none is resumed with another. */
class PresentingAgent extends Agent {
  #retired = false;

  constructor({ secureContext }: KeyPair, { keepAlive }: { readonly keepAlive: boolean }) {
    // An agent's own options win over a request's and over NODE_TLS_REJECT_UNAUTHORIZED.
    super({ keepAlive, secureContext, rejectUnauthorized: true, checkServerIdentity });
  }

  /** Requests under way end on their connections; none is used again. */
  retire(): void {
    this.#retired = true;
    for (const sockets of Object.values(this.freeSockets)) for (const socket of [...(sockets ?? [])]) socket.destroy();
  }

  override keepSocketAlive(socket: Duplex): boolean {
    const keep = (super.keepSocketAlive as unknown as (socket: Duplex) => boolean).call(this, socket);
    return keep && !this.#retired;
  }
}

/** The method by which Node hands a request to its agent, whoever made that; not among its types. */
interface TakesRequests {
  addRequest(request: ClientRequest, options: RequestOptions, ...more: unknown[]): void;
}

/**
 * One agent for good: it passes each request to the one that presents the certificate of the moment.
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

/** One certificate with all that hangs on it: the connections that present it and the tokens bound to it. */
export interface Presenter {
  readonly keyPair: KeyPair;
  readonly agent: Agent;
  readonly tokens: BoundTokens;
  /** What else must end with it; called once, at once when it is over already. */
  onRetired(end: () => Promise<void>): void;
  /** Ends what is idle at once; resolves when those who said so have let their requests end. */
  retire(): Promise<void>;
}

/** Asks for a token over connections of this agent. */
export type RequestToken = (target: TokenTarget, agent: Agent, signal: AbortSignal) => Promise<IssuedToken>;

/** Creates a presenter of this certificate; a rotation makes a new one, so nothing of the old is mixed up with it. */
export function createPresenter(keyPair: KeyPair, requestToken: RequestToken, clocks: TokenClocks): Presenter {
  const agent = new PresentingAgent(keyPair, { keepAlive: true });
  // Tokens are asked for rarely: a kept connection would mostly be one that the other end has closed meanwhile.
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

/** What every way out is made of. */
export interface Outgoing {
  /** Of the certificate of the moment. */
  readonly current: () => Presenter;
  readonly targetOf: TargetOf;
  /** A token, with the presenter of the certificate that it is bound to: they belong on the same connection. */
  readonly obtain: (target: TokenTarget) => Promise<{ readonly presenter: Presenter; readonly accessToken: string }>;
}

/**
 * Waits for a result until the signal is aborted, and rejects with its reason then; what makes the result goes on.
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
