import type { ApiConnection } from "../api-client/api-connection.ts";
import {
  type AnswerHeaders,
  createIntrospectionCaller,
  type IntrospectionOperations,
} from "../api-client/introspection-caller.ts";
import { duration, count } from "../options/read-number.ts";
import { type QuestionLimits, readQuestionLimits } from "./cache/question-queue.ts";
import type { IssuerOption } from "./setup/setup-cause.ts";
import { answeredAtByDate, answeredAtByLife } from "./sources/answered-at.ts";
import { checkedSource } from "./sources/checked-source.ts";
import type { FactsSource, FactsAnswer } from "./sources/facts-source.ts";
import { readStandardAnswer } from "./sources/introspection-answer.ts";
import { refuseUnknownOptions } from "../options/refuse-unknown-options.ts";
import { optionError } from "../options/option-error.ts";
import type { MemoryLimits } from "./cache/answer-memory.ts";

/** One issuer: where facts about its tokens come from (either `backend` or `source`), and how they are cached. */
export interface IssuerOptions {
  /** Its issuer identifier (RFC 8414 §2): required with several issuers, and compared with the `iss` of answers. */
  readonly issuer?: string;
  /**
   * The connection to the certbound backend, or the backend itself: an api client, or a backend in the same process.
   */
  readonly backend?: ApiConnection | IntrospectionOperations;
  /** Any other source: an introspection endpoint, JWT access tokens, or your own. */
  readonly source?: FactsSource;
  /** `library` (default): requests facts and decides here. `backend`: the backend decides on every request. */
  readonly decide?: "library" | "backend";
  /** `false`: no cache; every request to the API causes one to the issuer. */
  readonly cache?: false | CacheOptions;
  /** How long a request waits for an answer, in milliseconds; default: the connection's `timeout.total`, else 2,000. */
  readonly timeout?: number;
  /** How many requests to the issuer may be under way and may wait; further requests are refused at once (503). */
  readonly questions?: QuestionLimits;
}

export const issuerOptionNames = ["issuer", "backend", "source", "decide", "cache", "timeout", "questions"] as const;

/** The checked options of one issuer with defaults and an open connection; times in milliseconds. */
export interface ResolvedIssuer {
  readonly name: string | undefined;
  readonly source: FactsSource;
  /** Which of the two options was given. */
  readonly option: IssuerOption;
  /** Set if the backend decides. */
  readonly decidingBackend: IntrospectionOperations | undefined;
  readonly limits: ResolvedCache;
  readonly timeout: number;
  readonly questions: Required<QuestionLimits>;
}

/**
 * Checks the options of one issuer; throws a `TypeError` with a `code` that names the wrong one.
 *
 * @example resolveIssuer({ backend: { baseUrl, serviceId, credentials } }).timeout // 2000
 */
export function resolveIssuer(options: IssuerOptions): ResolvedIssuer {
  const { backend, source, decide = "library", cache = {}, issuer } = options;
  if (!(["library", "backend"] as unknown[]).includes(decide)) {
    throw optionError("decide", 'must be "library" or "backend"');
  }
  if (issuer !== undefined && (typeof issuer !== "string" || issuer === "")) {
    throw optionError("issuer", "must be an issuer identifier");
  }
  const limits = readCacheOptions(cache);
  const total = backend !== undefined && isObject(backend) && "baseUrl" in backend ? backend.timeout?.total : undefined;
  const timeout = duration("timeout", options.timeout ?? total ?? 2000, 1);
  const questions = readQuestionLimits(options.questions);
  if (source !== undefined) {
    if (backend !== undefined) throw optionError("source", "cannot be combined with backend");
    if (!isObject(source) || typeof source.ask !== "function") throw optionError("source", "must be a source of facts");
    if (decide === "backend") throw optionError("decide", 'can be "backend" only with the option backend');
    if (issuer !== undefined && source.issuer !== undefined && issuer !== source.issuer) {
      throw optionError("issuer", "must be the source's own");
    }
    if (source.issuer !== undefined && typeof source.issuer !== "string") {
      throw optionError("source", "must have a string as its issuer");
    }
    if (typeof source.close !== "function") throw optionError("source", "must have a function close");
    const checked = checkedSource(source);
    const name = issuer ?? source.issuer;
    return { name, source: checked, option: "source", decidingBackend: undefined, limits, timeout, questions };
  }
  if (!isObject(backend)) throw optionError("backend", "must be a connection or a backend");
  const connected = connect(backend);
  const decidingBackend = decide === "backend" ? connected.operations : undefined;
  const checked = checkedSource(connected.source);
  return { name: issuer, source: checked, option: "backend", decidingBackend, limits, timeout, questions };
}

function connect(backend: ApiConnection | IntrospectionOperations) {
  if ("authIntrospectionStandard" in backend) return { operations: backend, source: backendSource(backend) };
  const caller = createIntrospectionCaller(backend);
  return { operations: caller, source: backendSource(caller, () => caller.close()) };
}

function isObject<Value>(value: Value | undefined): value is Value & object {
  return typeof value === "object" && value !== null;
}

/**
 * The source of facts over a certbound backend, or another API of that shape. It uses `auth/introspection/standard`,
 * which checks no certificate, so it sends neither certificate nor requirement.
 *
 * @example const source = backendSource(createIntrospectionCaller(connection))
 */
function backendSource(
  backend: IntrospectionOperations,
  close: () => Promise<void> = () => Promise.resolve(),
): FactsSource {
  return {
    async ask(token, { signal }): Promise<FactsAnswer> {
      const parameters = `token=${encodeURIComponent(token)}&token_type_hint=access_token`;
      let byDate: number | undefined;
      const onHeaders = (headers: AnswerHeaders): void => {
        byDate = answeredAtByDate(headers);
      };
      const answer = await backend.authIntrospectionStandard({ parameters }, { signal, onHeaders });
      const { responseContent, invalidationKeys = [], expiresIn } = answer;
      const record = readStandardAnswer(answer);
      const expiresAt = record.facts.active && record.facts.exp !== undefined ? record.facts.exp * 1000 : undefined;
      return {
        record,
        answeredAt: answeredAtByLife("expiresIn", expiresAt, expiresIn) ?? byDate,
        invalidationKeys,
        size:
          typeof responseContent === "string" ? responseContent.length : JSON.stringify(responseContent ?? "").length,
        reusable: true,
      };
    },
    events: backend.authIntrospectionEvents?.bind(backend),
    close,
  };
}

/** How long answers are reused, in seconds, and how many are cached. */
export interface CacheOptions {
  /** For active tokens (default 10); 0: no cache. Part of the delay until a revocation is noticed. */
  readonly ttl?: number;
  /** For inactive tokens (default 1). */
  readonly negativeTtl?: number;
  /** Default 10,000. */
  readonly maxEntries?: number;
  /** Default 1,000; a separate cache, so that random tokens do not evict good ones. */
  readonly maxNegativeEntries?: number;
  /** The approximate memory of the cache; default 64 MiB. */
  readonly maxBytes?: number;
  /**
   * Whether to follow the source's stream of invalidation events, if it has one (default), so that a revocation is
   * noticed at once and unchanged facts are not requested again.
   */
  readonly push?: boolean;
  /** How long ago the stream may have confirmed a cached answer (default 1). */
  readonly lease?: number;
  /**
   * While the issuer is unavailable, facts may be so much older than `ttl` (default 0). This adds to the delay until a
   * revocation is noticed; certificate, scopes and expiry are checked as always.
   */
  readonly staleIfUnavailable?: number;
  /**
   * The number of tokens whose `signal` is kept up to date; default 10,000. The signals of further tokens are aborted
   * at the end of the bound.
   */
  readonly maxWatched?: number;
}

/** The checked option `cache` with defaults; times in milliseconds. */
interface ResolvedCache extends MemoryLimits {
  readonly push: boolean;
  readonly maxWatched: number;
}

const names: ReadonlySet<string> = new Set<keyof CacheOptions>([
  "ttl",
  "negativeTtl",
  "maxEntries",
  "maxNegativeEntries",
  "maxBytes",
  "push",
  "lease",
  "staleIfUnavailable",
  "maxWatched",
]);

const mebibyte = 1024 * 1024;

/**
 * Checks the option `cache` and adds defaults; times in milliseconds. Throws a `TypeError` with a `code`.
 *
 * @example readCacheOptions({ ttl: 5 }).ttl // 5000
 */
function readCacheOptions(cache: false | CacheOptions): ResolvedCache {
  const given: unknown = cache;
  if (given === null || (typeof given !== "object" && given !== false)) {
    throw optionError("cache", "must be false or an object");
  }
  if (cache === false) return { ...readCacheOptions({ ttl: 0, negativeTtl: 0 }), maxEntries: 1, maxNegativeEntries: 1 };
  refuseUnknownOptions(cache, names, "cache");
  const { push = true } = cache;
  if (typeof push !== "boolean") throw optionError("cache.push", "must be true or false");
  return {
    ttl: duration("cache.ttl", (cache.ttl ?? 10) * 1000, 0),
    negativeTtl: duration("cache.negativeTtl", (cache.negativeTtl ?? 1) * 1000, 0),
    maxEntries: count("cache.maxEntries", cache.maxEntries ?? 10_000),
    maxNegativeEntries: count("cache.maxNegativeEntries", cache.maxNegativeEntries ?? 1000),
    maxBytes: count("cache.maxBytes", cache.maxBytes ?? 64 * mebibyte, Number.MAX_SAFE_INTEGER),
    push,
    lease: duration("cache.lease", (cache.lease ?? 1) * 1000, 0),
    staleIfUnavailable: duration("cache.staleIfUnavailable", (cache.staleIfUnavailable ?? 0) * 1000, 0),
    maxWatched: count("cache.maxWatched", cache.maxWatched ?? 10_000),
  };
}
