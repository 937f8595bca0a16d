import { type Attributes, type HrTime, SpanKind, SpanStatusCode, type Tracer } from "@opentelemetry/api";
import { optionError } from "../../options/option-error.ts";
import { refuseUnknownOptions } from "../../options/refuse-unknown-options.ts";
import type { DecisionEvent } from "./decision-events.ts";

/** Entry `certbound/opentelemetry`: decisions as spans of the caller's own tracer. */

/** The options of `opentelemetryObserver`. */
export interface OpentelemetryOptions {
  /** The tracer that creates the spans; its SDK exports them. */
  readonly tracer: Tracer;
}

const optionNames: ReadonlySet<string> = new Set<keyof OpentelemetryOptions>(["tracer"]);

/**
 * Creates a span `certbound.authorize` for each decision, as a child of the request's span; pass it as `onDecision`.
 *
 * A refusal is not an error; an unavailable issuer is. Thumbprints, scopes and audiences are recorded for refusals
 * only; subjects, clients and tokens never. Throws a `TypeError` with a `code` for wrong options.
 *
 * @example createResourceServer({ backend, onDecision: opentelemetryObserver({ tracer: trace.getTracer("api") }) })
 */
export function opentelemetryObserver(options: OpentelemetryOptions): (event: DecisionEvent) => void {
  refuseUnknownOptions(options, optionNames);
  const { tracer } = options;
  if (typeof (tracer as Partial<Tracer> | undefined)?.startSpan !== "function") {
    throw optionError("tracer", "must be a tracer of @opentelemetry/api");
  }
  return (event) => {
    // Called in the request's own asynchronous context: its active span becomes the parent.
    const span = tracer.startSpan("certbound.authorize", {
      kind: SpanKind.INTERNAL,
      startTime: hrTime(event.startedAt),
      attributes: attributesOf(event),
    });
    if (event.outcome === "unavailable") {
      span.setStatus({ code: SpanStatusCode.ERROR, ...(event.diagnosis && { message: event.diagnosis.reason }) });
    }
    span.end(hrTime(event.startedAt + event.duration));
  };
}

function attributesOf({ outcome, code, issuer, facts, bindingLost, diagnosis }: DecisionEvent): Attributes {
  const attributes: Attributes = { "certbound.outcome": outcome, "certbound.code": code };
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined) attributes[name] = value;
  };
  add("certbound.issuer", issuer);
  add("certbound.facts", facts);
  if (bindingLost) attributes["certbound.binding_lost"] = true;
  add("certbound.check", diagnosis?.check);
  add("certbound.expected", diagnosis?.expected);
  add("certbound.found", diagnosis?.found);
  add("certbound.reason", diagnosis?.reason);
  // The name in OpenTelemetry's semantic conventions, which dashboards use.
  if (outcome === "unavailable") attributes["error.type"] = code;
  return attributes;
}

/** Converts milliseconds to seconds and nanoseconds: a plain number could be read as a value of `performance.now()`. */
function hrTime(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.floor((milliseconds - seconds * 1000) * 1e6)];
}
