import type { Agent } from "node:https";
import { type BoundTokens, type TokenClocks, createBoundTokens, type TokenTarget } from "./bound-tokens.ts";
import { PresentingAgent } from "./presenting-agent.ts";
import type { KeyPair } from "./read-key-pair.ts";
import type { IssuedToken } from "./read-token-answer.ts";
import type { TargetOf } from "./resource-servers.ts";

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
