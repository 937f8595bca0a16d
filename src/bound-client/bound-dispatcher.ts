import { checkServerIdentity, type SecureContext } from "node:tls";
import { optionError } from "../options/option-error.ts";
import { asError, warnOfFault } from "../serving/fault.ts";
import { type Outgoing, type Presenter, within } from "./presenter.ts";
import { type DispatchHandler, RepeatingHandler } from "./repeating-handler.ts";

/** The parts of the module undici that are used. The caller passes it in, so that it is loaded only where needed. */
export interface Undici {
  readonly Agent: new (options: {
    readonly connect: {
      readonly secureContext: SecureContext;
      readonly rejectUnauthorized: true;
      readonly checkServerIdentity: typeof checkServerIdentity;
    };
  }) => object;
  readonly Dispatcher: new () => object;
}

interface DispatchOptions {
  readonly origin?: string | URL;
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly signal?: unknown;
}

interface Dispatches {
  dispatch(options: DispatchOptions, handler: DispatchHandler): boolean;
  close(): Promise<void>;
  destroy(error?: Error | null): Promise<void>;
}

/**
 * Creates a dispatcher for this undici module: requests present the certificate, and the token to resource servers.
 *
 * A request with its own Authorization header gets no token. After a 401 with `invalid_token` the request is repeated
 * once with a new token, if it has no body or one of text or octets. undici itself follows no redirect; an interceptor
 * that follows one calls this dispatcher again with the new origin.
 */
export function createBoundDispatcher<Module extends Undici>(
  undici: Module,
  { current, targetOf, obtain }: Outgoing,
): InstanceType<Module["Dispatcher"]> {
  if ([undici.Agent, undici.Dispatcher].some((part: unknown) => typeof part !== "function")) {
    throw optionError("undici", "must be the module undici");
  }
  const agents = new Map<Presenter, Dispatches>();

  const agentOf = (presenter: Presenter): Dispatches => {
    const known = agents.get(presenter);
    if (known !== undefined) return known;
    const { secureContext } = presenter.keyPair;
    const connect = { secureContext, rejectUnauthorized: true, checkServerIdentity } as const;
    const agent = new undici.Agent({ connect }) as Dispatches;
    agents.set(presenter, agent);
    presenter.onRetired(async () => {
      await agent.close();
      agents.delete(presenter);
    });
    return agent;
  };

  const dispatchBound = (given: DispatchOptions, handler: DispatchHandler): boolean => {
    const options = { ...given, headers: keepHeaders(given.headers) };
    const signal = options.signal instanceof AbortSignal ? options.signal : undefined;
    const origin = URL.parse(String(options.origin))?.origin ?? "";
    const target = hasAuthorization(options.headers) ? undefined : targetOf(origin);
    if (target === undefined) return agentOf(current()).dispatch(options, handler);
    const send = async (to: DispatchHandler, again: (() => void) | undefined): Promise<void> => {
      try {
        let held = await within(signal, obtain(target));
        // The certificate may have been rotated since; its old connections accept no new request.
        while (held.presenter !== current()) held = await within(signal, obtain(target));
        const { presenter, accessToken } = held;
        const headers = withAuthorization(options.headers, `Bearer ${accessToken}`);
        const forget = (): void => {
          presenter.tokens.forget(accessToken);
        };
        agentOf(presenter).dispatch({ ...options, headers }, new RepeatingHandler(to, forget, again));
      } catch (error) {
        to.onResponseError?.(null, asError(error));
      }
    };
    // If the handler's error callback throws, only a process warning is left.
    const start = (again: (() => void) | undefined): void => void send(handler, again).catch(warnOfFault);
    const again = (): void => {
      start(undefined);
    };
    start(isRepeatable(options.body) ? again : undefined);
    return true;
  };

  const Base = undici.Dispatcher;
  class BoundDispatcher extends Base implements Dispatches {
    dispatch(options: DispatchOptions, handler: DispatchHandler): boolean {
      return dispatchBound(options, handler);
    }
    async close(): Promise<void> {
      await Promise.all([...agents.values()].map((agent) => agent.close()));
    }
    async destroy(error?: Error | null): Promise<void> {
      await Promise.all([...agents.values()].map((agent) => agent.destroy(error ?? null)));
    }
  }
  return new BoundDispatcher() as InstanceType<Module["Dispatcher"]>;
}

function isRepeatable(body: unknown): boolean {
  return body === undefined || body === null || typeof body === "string" || ArrayBuffer.isView(body);
}

/** undici takes a record, a flat list of names and values, or an iterable of pairs, which may be iterable only once. */
function keepHeaders(headers: unknown): unknown {
  return isIterable(headers) && !Array.isArray(headers) ? new Set(headers) : headers;
}

/** A header with the value `undefined` is not sent. */
function hasAuthorization(headers: unknown): boolean {
  return pairsOf(headers).some(
    ([name, value]) => String(name).toLowerCase() === "authorization" && value !== undefined,
  );
}

function pairsOf(headers: unknown): unknown[][] {
  if (Array.isArray(headers)) {
    return headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1]]] : []));
  }
  return isIterable(headers) ? ([...headers] as unknown[][]) : Object.entries(headers ?? {});
}

function withAuthorization(headers: unknown, authorization: string): unknown {
  if (Array.isArray(headers)) return [...(headers as unknown[]), "authorization", authorization];
  if (isIterable(headers)) return new Set([...headers, ["authorization", authorization]]);
  return { ...(headers as object | null | undefined), authorization };
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}
