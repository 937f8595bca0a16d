import { type Attributes, type HrTime, SpanKind, SpanStatusCode, type Tracer } from "@opentelemetry/api";
import { optionError } from "../../options/option-error.ts";
import { refuseUnknownOptions } from "../../options/refuse-unknown-options.ts";
import type { DecisionEvent } from "./decision-events.ts";

/** Entry `certbound/opentelemetry`: decisions as spans of the caller's own tracer. */

/** The options of `opentelemetryObserver`. */
export interface OpentelemetryOptions {
  /** What makes the spans; they go where its SDK sends them. */
  readonly tracer: Tracer;
}

const optionNames: ReadonlySet<string> = new Set<keyof OpentelemetryOptions>(["tracer"]);

/**
 * Makes a span `certbound.authorize` of each decision, a child of the request's own; to be handed over as `onDecision`.
 *
 * A refusal is a result and no error; that nothing could be found out is one. Thumbprints, scopes and audiences are told
 * of refusals only; subjects, clients and tokens never. Throws a `TypeError` with a `code` for wrong options.
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
  // The name that dashboards know (OpenTelemetry's semantic conventions).
  if (outcome === "unavailable") attributes["error.type"] = code;
  return attributes;
}

/** Milliseconds as seconds and nanoseconds: a bare number could be taken for one of `performance.now()`. */
function hrTime(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.floor((milliseconds - seconds * 1000) * 1e6)];
}
