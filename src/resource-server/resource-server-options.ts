import { optionError } from "../options/option-error.ts";
import { refuseUnknownOptions } from "../options/refuse-unknown-options.ts";
import { callHarmlessly } from "../serving/call-harmlessly.ts";
import type { ResourceServerClocks, Warning } from "./environment.ts";
import { issuerOptionNames, type IssuerOptions, type ResolvedIssuer, resolveIssuer } from "./issuer-options.ts";
import type { OnDecision } from "./observers/decision-events.ts";

/** The options of `createResourceServer`: one issuer or several, and the options of the whole API. */
export interface ResourceServerOptions extends IssuerOptions {
  /** Several issuers, each with its name, instead of the one that the other options describe. */
  readonly issuers?: readonly IssuerOptions[];
  /** The names of this API: the audience of a token must include one of them (`aud`, RFC 8707 §2). */
  readonly resource?: string | readonly string[];
  /** The realm in challenges (RFC 9110 §11.5). */
  readonly realm?: string;
  /** Called with every decision, one function or several: for metrics, traces and logs. */
  readonly onDecision?: OnDecision | readonly OnDecision[];
  /** Called once for each problem that the operator should know; default: `process.emitWarning`. */
  readonly onWarning?: (warning: Warning) => unknown;
  /** Default: the clock of the system. */
  readonly clock?: ResourceServerClocks["clock"];
  readonly monotonicClock?: ResourceServerClocks["monotonicClock"];
}

/** The checked options of a resource server with defaults; times in milliseconds. */
export interface ResolvedResourceServer extends ResourceServerClocks {
  readonly issuers: readonly [ResolvedIssuer, ...ResolvedIssuer[]];
  readonly ownResources: readonly string[];
  readonly realm: string | undefined;
  readonly onDecision: readonly OnDecision[];
  readonly warn: (warning: Warning) => void;
}

const issuerNames: ReadonlySet<string> = new Set(issuerOptionNames);
const names: ReadonlySet<string> = new Set([
  ...issuerOptionNames,
  ..."issuers resource realm onDecision onWarning clock monotonicClock".split(" "),
]);

/**
 * Checks the options of `createResourceServer`; throws a `TypeError` with a `code` that names the wrong one.
 *
 * @example resolveResourceServer({ backend, cache: { ttl: 5 } }, clocks).issuers[0].limits.ttl // 5000
 */
export function resolveResourceServer(
  options: ResourceServerOptions,
  clocks: ResourceServerClocks,
): ResolvedResourceServer {
  if (typeof options !== "object" || (options as unknown) === null) throw optionError("options", "must be an object");
  refuseUnknownOptions(options, names);
  const { resource = [], realm, onDecision = [], onWarning = emitWarning } = options;
  const ownResources = typeof resource === "string" ? [resource] : [...resource];
  if (!ownResources.every((one) => typeof one === "string" && one !== "")) {
    throw optionError("resource", "must be a name or an array of names");
  }
  if (typeof onWarning !== "function") throw optionError("onWarning", "must be a function");
  return {
    issuers: resolveIssuers(options),
    ownResources,
    realm,
    onDecision: resolveObservers(onDecision),
    warn(warning) {
      // A log must not change the decision that is being made.
      callHarmlessly(
        () => onWarning(warning),
        () => undefined,
      );
    },
    clock: options.clock ?? clocks.clock,
    monotonicClock: options.monotonicClock ?? clocks.monotonicClock,
  };
}

function resolveObservers(onDecision: unknown): readonly OnDecision[] {
  const observers: unknown = typeof onDecision === "function" ? [onDecision] : onDecision;
  if (!Array.isArray(observers) || !observers.every((one) => typeof one === "function")) {
    throw optionError("onDecision", "must be a function or an array of functions");
  }
  return [...(observers as OnDecision[])];
}

function emitWarning({ code, message }: Warning): void {
  process.emitWarning(message, { type: "CertboundWarning", code });
}

function resolveIssuers(options: ResourceServerOptions): ResolvedResourceServer["issuers"] {
  const { issuers } = options;
  if (issuers === undefined) return [resolveIssuer(options)];
  const misplaced = issuerOptionNames.find((name) => options[name] !== undefined);
  if (misplaced !== undefined) throw optionError(misplaced, "belongs in one of the issuers");
  if (!Array.isArray(issuers)) throw optionError("issuers", "must be an array");
  const resolved = issuers.map((one: IssuerOptions, at) => {
    if (typeof one !== "object" || (one as unknown) === null) throw optionError(`issuers[${at}]`, "must be an object");
    refuseUnknownOptions(one, issuerNames);
    return resolveIssuer(one);
  });
  const [first, ...others] = resolved;
  if (first === undefined) throw optionError("issuers", "must not be empty");
  if (others.length > 0 && resolved.some(({ name }) => name === undefined)) {
    throw optionError("issuers", "must each have a name: issuer");
  }
  if (new Set(resolved.map(({ name }) => name)).size < resolved.length) {
    throw optionError("issuers", "must have different names");
  }
  return [first, ...others];
}
