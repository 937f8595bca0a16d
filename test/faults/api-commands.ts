import type { InvalidationMessage } from "../../src/api-client/introspection-caller.ts";
import type { CacheOptions } from "../../src/resource-server/index.ts";

export interface ApiStart {
  readonly backendUrl: string;
  readonly serviceId: number;
  readonly accessToken: string;
  readonly certificate: string;
  readonly key: string;
  /** Resource servers side by side, each over connections of its own: the first part of a path names one. */
  readonly servers: Readonly<Record<string, ApiServer>>;
}

export interface ApiServer {
  readonly cache: CacheOptions;
  /** T, milliseconds; attempts have as long. */
  readonly timeout: number;
  readonly questions?: { readonly maxConcurrent: number; readonly maxQueued: number };
}

/** A request that was let in, by the shared clock: when the decision last looked at it. */
export interface Accepted {
  readonly server: string;
  readonly at: number;
}

/** Messages of its stream that a resource server has taken in, by type. */
export type Taken = Readonly<Record<InvalidationMessage["type"], number>>;

export interface Stampede {
  readonly server: string;
  readonly token: string;
  readonly count: number;
  /** PEM; asked with in turn. */
  readonly certificates: readonly string[];
  /** The first one gives up as soon as all have asked. */
  readonly leaderAborts?: boolean;
}

export interface Scatter {
  readonly server: string;
  readonly prefix: string;
  readonly count: number;
}

/** What the API is told besides HTTP. */
export interface ApiCommands {
  readonly [name: string]: (given: never) => unknown;
  readonly start: (given: ApiStart) => Promise<string>;
  /** The wall clock is so much off from now on, milliseconds. */
  readonly shift: (milliseconds: number) => void;
  readonly accepted: (token: string) => readonly Accepted[];
  readonly taken: (server: string) => Taken;
  /** Waits until a resource server has taken in so many messages of a type, all told. */
  readonly taking: (wanted: { readonly server: string; readonly type: keyof Taken; readonly count: number }) => unknown;
  /** Waits until so many requests have been put to a resource server and not been answered yet. */
  readonly asking: (wanted: { readonly server: string; readonly count: number }) => unknown;
  /** When the signals of a token were aborted, by the shared clock. */
  readonly aborts: (token: string) => readonly number[];
  /** In the process; answers how each ended, in turn: 200, or the status of its refusal, or the error's name. */
  readonly stampede: (given: Stampede) => Promise<readonly (number | string)[]>;
  /** In the process, so many tokens that nobody knows, at once; answers how each ended. */
  readonly scatter: (given: Scatter) => Promise<readonly (number | string)[]>;
  /** Resolves when everything that was begun before has been put. */
  readonly turn: () => Promise<void>;
  /** The event loop's delay since the last call (milliseconds, 50th, 99th percentile, the most) and memory (MiB). */
  readonly cost: () => ApiCost;
}

interface ApiCost {
  readonly delay: { readonly p50: number; readonly p99: number; readonly most: number };
  readonly heap: number;
  readonly resident: number;
}
