import type { ClientRequest } from "node:http";
import { Agent, type RequestOptions } from "node:https";
import type { Duplex } from "node:stream";
import { checkServerIdentity } from "node:tls";
import type { KeyPair } from "./read-key-pair.ts";

/** The connections that present one certificate; its own sessions, so that none is resumed with another. */
export class PresentingAgent extends Agent {
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
