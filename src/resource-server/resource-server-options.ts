import type { ApiConnection } from "../api-client/api-connection.ts";
import type { IntrospectionOperations } from "../api-client/introspection-caller.ts";
import { optionError } from "../api-client/option-error.ts";
import type { MemoryLimits } from "./answer-memory.ts";
import { refuseUnknownOptions } from "./refuse-unknown-options.ts";

export interface ResourceServerOptions {
  /** Where the backend is; or the backend itself: an api client, or one in the same process. */
  readonly backend: ApiConnection | IntrospectionOperations;
  /** `library` (default): facts are asked and the decision is made here. `backend`: it decides on every question. */
  readonly decide?: "library" | "backend";
  /** `false`: every request asks. */
  readonly cache?: false | CacheOptions;
  /** This API's own names: a token must be meant for one of them (`aud`, RFC 8707 §2). */
  readonly resource?: string | readonly string[];
  /** The protection space that challenges name (RFC 9110 §11.5). */
  readonly realm?: string;
  /** Milliseconds that one request waits for the backend; default: the connection's `timeout.total`, else 2,000. */
  readonly timeout?: number;
  /** Called once for each thing that the operator should know; default: `process.emitWarning`. */
  readonly onWarning?: (warning: { readonly code: string; readonly message: string }) => void;
  /** Default: the system's. */
  readonly clock?: Clocks["clock"];
  readonly monotonicClock?: Clocks["monotonicClock"];
}

export interface Clocks {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Milliseconds that never go back. */
  readonly monotonicClock: () => number;
}

/** How long answers are reused, in seconds, and how many are kept. */
export interface CacheOptions {
  /** For tokens in force (default 10); 0: every request asks. Part of how late a revocation is noticed. */
  readonly ttl?: number;
  /** For tokens that are not (default 1). */
  readonly negativeTtl?: number;
  /** Default 10,000. */
  readonly maxEntries?: number;
  /** Default 1,000; apart, so that random tokens push no good one out. */
  readonly maxNegativeEntries?: number;
}

/** The options of a resource server, checked and completed; times in milliseconds. */
export interface ResolvedOptions extends Clocks {
  readonly decide: "library" | "backend";
  readonly limits: MemoryLimits;
  readonly patience: number;
  readonly ownResources: readonly string[];
  readonly realm: string | undefined;
  readonly warn: NonNullable<ResourceServerOptions["onWarning"]>;
}

const known =
  "backend decide cache resource realm timeout onWarning clock monotonicClock ttl negativeTtl maxEntries maxNegativeEntries".split(
    " ",
  );
const names = new Set(known.slice(0, 9));
const cacheNames = new Set(known.slice(9));

/**
 * Checks the options of `createResourceServer`; throws a `TypeError` with a `code` that names the wrong one.
 *
 * @example resolveOptions({ backend, cache: { ttl: 5 } }, clocks).limits.ttl // 5000
 */
export function resolveOptions(options: ResourceServerOptions, clocks: Clocks): ResolvedOptions {
  if (typeof options !== "object" || (options as unknown) === null) throw optionError("options", "must be an object");
  refuseUnknownOptions(options, names);
  if (typeof options.backend !== "object" || (options.backend as unknown) === null) {
    throw optionError("backend", "must be a connection or a backend");
  }
  const { decide = "library", cache = {}, resource = [], realm } = options;
  if (!(["library", "backend"] as unknown[]).includes(decide)) {
    throw optionError("decide", 'must be "library" or "backend"');
  }
  const ownResources = typeof resource === "string" ? [resource] : [...resource];
  if (!ownResources.every((one) => typeof one === "string" && one !== "")) {
    throw optionError("resource", "must be a name or an array of names");
  }
  const total = "baseUrl" in options.backend ? options.backend.timeout?.total : undefined;
  return {
    decide,
    limits: readLimits(cache),
    patience: duration("timeout", options.timeout ?? total ?? 2000, 1),
    ownResources,
    realm,
    warn:
      options.onWarning ??
      (({ code, message }) => {
        process.emitWarning(message, { type: "CertboundWarning", code });
      }),
    clock: options.clock ?? clocks.clock,
    monotonicClock: options.monotonicClock ?? clocks.monotonicClock,
  };
}

function readLimits(cache: false | CacheOptions): MemoryLimits {
  const given: unknown = cache;
  if (given === null || (typeof given !== "object" && given !== false)) {
    throw optionError("cache", "must be false or an object");
  }
  if (cache === false) return { ttl: 0, negativeTtl: 0, maxEntries: 1, maxNegativeEntries: 1 };
  for (const name of Object.keys(cache))
    if (!cacheNames.has(name)) throw optionError(`cache.${name}`, "is not an option");
  return {
    ttl: duration("cache.ttl", (cache.ttl ?? 10) * 1000, 0),
    negativeTtl: duration("cache.negativeTtl", (cache.negativeTtl ?? 1) * 1000, 0),
    maxEntries: count("cache.maxEntries", cache.maxEntries ?? 10_000),
    maxNegativeEntries: count("cache.maxNegativeEntries", cache.maxNegativeEntries ?? 1000),
  };
}

function duration(option: string, milliseconds: number, least: number): number {
  if (!(Number.isFinite(milliseconds) && milliseconds >= least && milliseconds <= 2_147_483_647)) {
    throw optionError(option, least === 0 ? "must be 0 or more" : "must be positive");
  }
  return milliseconds;
}

function count(option: string, value: number): number {
  if (!(Number.isSafeInteger(value) && value > 0 && value <= 10_000_000)) {
    throw optionError(option, "must be a positive integer");
  }
  return value;
}
