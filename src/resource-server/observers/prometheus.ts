import { Counter, Histogram, type Registry, type RegistryContentType } from "prom-client";
import { optionError } from "../../options/option-error.ts";
import { refuseUnknownOptions } from "../../options/refuse-unknown-options.ts";
import type { DecisionEvent } from "./decision-events.ts";

/** Entry `certbound/prometheus`: decisions as metrics, in the caller's own registry. */

/** The options of `prometheusObserver`. */
export interface PrometheusOptions {
  /** The registry for the metrics; several resource servers can share one and are added up. */
  readonly registry: Registry<RegistryContentType>;
  /** The prefix of the metric names; default `certbound_`. */
  readonly prefix?: string;
}

const optionNames: ReadonlySet<string> = new Set<keyof PrometheusOptions>(["registry", "prefix"]);

/** A decision from the cache takes microseconds, one with a request up to its timeout. */
const buckets = [0.000_01, 0.000_1, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The metrics of each registry by the prefix of their names. */
const registered = new WeakMap<object, Map<string, Metrics>>();

/**
 * Counts decisions with prom-client; pass it as `onDecision`.
 *
 * Labels have few values: outcomes, codes and the issuers' configured names; never a client, a subject or a token. In
 * one registry the same prefix means the same metrics. Throws a `TypeError` with a `code` for wrong options, and if
 * other metrics already use the names.
 *
 * @example createResourceServer({ backend, onDecision: prometheusObserver({ registry }) })
 */
export function prometheusObserver(options: PrometheusOptions): (event: DecisionEvent) => void {
  refuseUnknownOptions(options, optionNames);
  const { registry, prefix = "certbound_" } = options;
  if (typeof (registry as Partial<Registry> | undefined)?.registerMetric !== "function") {
    throw optionError("registry", "must be a registry of prom-client");
  }
  if (typeof prefix !== "string" || !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(prefix)) {
    throw optionError("prefix", "must be the beginning of a metric's name");
  }
  const { decisions, durations, facts, bindingLost } = metricsIn(registry as Registry, prefix);
  const begun = new Set<string>();
  return (event) => {
    const { outcome, code } = event;
    const issuer = event.issuer ?? "";
    if (!begun.has(issuer)) {
      begun.add(issuer);
      // A counter must start at 0: one that appears with its first loss shows no increase, and an alert would miss it.
      bindingLost.inc({ issuer }, 0);
    }
    decisions.inc({ outcome, code, issuer });
    durations.observe({ outcome }, event.duration / 1000);
    if (event.facts !== undefined) facts.inc({ facts: event.facts, issuer });
    if (event.bindingLost) bindingLost.inc({ issuer });
  };
}

type Metrics = ReturnType<typeof createMetrics>;

function metricsIn(registry: Registry, prefix: string): Metrics {
  const known = registered.get(registry) ?? new Map<string, Metrics>();
  registered.set(registry, known);
  const before = known.get(prefix);
  // The registry may have been cleared in the meantime.
  if (before !== undefined && registry.getSingleMetric(`${prefix}decisions_total`) === before.decisions) return before;
  const taken = metricNames.find((name) => registry.getSingleMetric(prefix + name) !== undefined);
  if (taken !== undefined) throw optionError("prefix", `is taken: the registry has another metric ${prefix}${taken}`);
  const metrics = createMetrics(registry, prefix);
  known.set(prefix, metrics);
  return metrics;
}

const metricNames = ["decisions_total", "decision_duration_seconds", "facts_total", "binding_lost_total"] as const;

function createMetrics(registry: Registry, prefix: string) {
  const [decisions, durations, facts, bindingLost] = metricNames;
  const registers = [registry];
  return {
    decisions: new Counter({
      name: prefix + decisions,
      help: "Decisions about access tokens, by outcome, code and issuer.",
      labelNames: ["outcome", "code", "issuer"],
      registers,
    }),
    durations: new Histogram({
      name: prefix + durations,
      help: "Time to decide about the access token of a request, in seconds.",
      labelNames: ["outcome"],
      buckets,
      registers,
    }),
    facts: new Counter({
      name: prefix + facts,
      help: "Decisions by the source of the token's facts: remembered, or asked of the issuer.",
      labelNames: ["facts", "issuer"],
      registers,
    }),
    bindingLost: new Counter({
      name: prefix + bindingLost,
      help: "Clients whose access tokens were certificate-bound and that sent an unbound one.",
      labelNames: ["issuer"],
      registers,
    }),
  };
}
