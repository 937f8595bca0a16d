import { context, type Span, SpanStatusCode, trace, type Tracer } from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import test from "ava";
import { opentelemetryObserver } from "../../../src/resource-server/observers/opentelemetry.ts";
import { createAuthority } from "../../support/certificates.ts";
import { createContextManager } from "./context-manager.ts";
import { factsBoundTo, startProtectedApi } from "../../support/protected-api.ts";
import { boundFacts, createScripted, otherX5tS256, start, x5tS256 } from "../../support/scripted-backend.ts";

context.setGlobalContextManager(createContextManager().enable());

/** A real tracer whose finished spans can be looked at. */
function createTracing() {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer: Tracer = provider.getTracer("api");
  return {
    tracer,
    decided: (): ReadableSpan[] => exporter.getFinishedSpans().filter(({ name }) => name === "certbound.authorize"),
    /** Runs within a span, as a request under an instrumented server does. */
    within: <Result>(name: string, run: (span: Span) => Promise<Result>) =>
      tracer.startActiveSpan(name, async (span) => {
        try {
          return await run(span);
        } finally {
          span.end();
        }
      }),
  };
}

const milliseconds = ([seconds, nanoseconds]: readonly [number, number]): number => seconds * 1000 + nanoseconds / 1e6;

test("a granted decision is a span with its times, and contains nothing of the token", async (t) => {
  const { tracer, decided } = createTracing();
  const { backend, authorize, pass } = createScripted({
    issuer: "https://as.example.com",
    onDecision: opentelemetryObserver({ tracer }),
  });
  backend.tokens.set("good", boundFacts());
  backend.before = () => {
    pass(12.5);
  };
  await authorize("good");
  const [span] = decided();
  t.deepEqual(span?.attributes, {
    "certbound.outcome": "granted",
    "certbound.code": "granted",
    "certbound.issuer": "https://as.example.com",
    "certbound.facts": "asked",
  });
  t.is(span?.status.code, SpanStatusCode.UNSET);
  t.is(milliseconds(span?.startTime ?? [0, 0]), start);
  t.is(milliseconds(span?.endTime ?? [0, 0]), start + 12.5);
});

test("a refusal has its diagnosis and is no error; an outage is an error", async (t) => {
  const { tracer, decided } = createTracing();
  const { backend, authorize } = createScripted({ onDecision: opentelemetryObserver({ tracer }) });
  backend.tokens.set("good", boundFacts());
  await t.throwsAsync(authorize("good", { certificate: { x5tS256: otherX5tS256 } }));
  backend.before = () => {
    throw new Error("down");
  };
  await t.throwsAsync(authorize("other"));
  const [refused, unavailable] = decided();
  t.deepEqual(refused?.attributes, {
    "certbound.outcome": "refused",
    "certbound.code": "certificate_mismatch",
    "certbound.facts": "asked",
    "certbound.check": "confirmation",
    "certbound.expected": x5tS256,
    "certbound.found": otherX5tS256,
    "certbound.reason": "the token is bound to another certificate",
  });
  t.is(refused?.status.code, SpanStatusCode.UNSET);
  t.like(unavailable?.attributes, {
    "certbound.outcome": "unavailable",
    "certbound.code": "introspection_unavailable",
    "error.type": "introspection_unavailable",
  });
  t.deepEqual(unavailable?.status, { code: SpanStatusCode.ERROR, message: "the backend failed" });
});

test("a lost binding is to be seen", async (t) => {
  const { tracer, decided } = createTracing();
  const { backend, authorize } = createScripted({
    onDecision: opentelemetryObserver({ tracer }),
    onWarning: () => undefined,
  });
  backend.tokens.set("bound", boundFacts());
  backend.tokens.set("unbound", boundFacts({ cnf: undefined }));
  await authorize("bound");
  await t.throwsAsync(authorize("unbound"));
  t.deepEqual(
    decided().map(({ attributes }) => attributes["certbound.binding_lost"]),
    [undefined, true],
  );
});

test("each span is a child of its own request's, also of two that wait for one answer, and from memory", async (t) => {
  const { tracer, decided, within } = createTracing();
  const { backend, authorize } = createScripted({ onDecision: opentelemetryObserver({ tracer }) });
  backend.tokens.set("good", boundFacts());
  const held = Promise.withResolvers<undefined>();
  const arrived = Promise.withResolvers<undefined>();
  backend.before = async () => {
    arrived.resolve(undefined);
    await held.promise;
  };
  const put = (name: string) =>
    within(name, async (span) => {
      await authorize("good");
      return span.spanContext();
    });
  const first = put("GET /first");
  await arrived.promise;
  const second = put("GET /second");
  held.resolve(undefined);
  const requests = [await first, await second, await put("GET /third")];
  t.is(backend.asked.length, 1);
  t.deepEqual(
    decided().map((span) => [span.parentSpanContext?.spanId, span.spanContext().traceId]),
    requests.map(({ spanId, traceId }) => [spanId, traceId]),
  );
  t.is(new Set(requests.map(({ traceId }) => traceId)).size, 3);
});

test("over HTTP, each request under a span of its own", async (t) => {
  const { tracer, decided, within } = createTracing();
  const certificate = createAuthority({ subject: "CN=Client CA" }).issue({ subject: "CN=client-a" });
  const spans = new Map<string, string>();
  const api = await startProtectedApi(t, {
    library: { onDecision: opentelemetryObserver({ tracer }) },
    // What an instrumentation of the HTTP server does.
    before: (ctx, next) =>
      within(`GET ${ctx.path}`, async (span) => {
        spans.set(ctx.path, span.spanContext().spanId);
        await next();
      }),
  });
  api.backend.tokens.set("token-a", factsBoundTo(certificate));
  const gate = api.backend.closeGate();
  const paths = ["/a", "/b", "/c", "/d"];
  const answers = paths.map((path) => api.get("token-a", certificate, { url: api.url + path }));
  answers.push(api.get("token-a", undefined, { url: `${api.url}/bare` }));
  answers.push(api.get(undefined, certificate, { url: `${api.url}/none` }));
  await gate.arrived();
  gate.open();
  await Promise.all(answers);
  t.is(decided().length, 6);
  t.deepEqual(new Set(decided().map(({ parentSpanContext }) => parentSpanContext?.spanId)), new Set(spans.values()));
  for (const [path, code] of [
    ["/bare", "certificate_missing"],
    ["/none", "credentials_missing"],
  ] as const) {
    const span = decided().find(({ attributes }) => attributes["certbound.code"] === code);
    t.is(span?.parentSpanContext?.spanId, spans.get(path));
  }
});

test("a wrong option is refused by its name", (t) => {
  for (const [options, message] of [
    [{}, /^tracer /],
    [{ tracer: {} }, /^tracer /],
    [{ tracer: null }, /^tracer /],
    [{ tracer: trace.getTracer("x"), name: "x" }, /^name /],
  ] as const) {
    const error = t.throws(() => opentelemetryObserver(options as never), { instanceOf: TypeError, message });
    t.like(error, { code: "ERR_INVALID_OPTION" });
  }
});
