import type { RequestListener, ServerResponse, IncomingMessage } from "node:http";
import Router, { type RouterContext } from "@koa/router";
import Koa, { type Middleware } from "koa";
import { clientAddressHeader, readClientAddress } from "../../contract/read-request.ts";
import { callRecord } from "../call-record.ts";
import type { CallFacts } from "../service-operations.ts";
import { type Answer, writeAnswer, errorAnswer, methodNotAllowed, nothingHere } from "./answer.ts";
import { type StreamAnswer, writeStream } from "./event-stream.ts";
import type { HttpDependencies } from "./http-dependencies.ts";
import { type Route, servedRoutes, unsupportedRoutes } from "./routes.ts";

const sane = /^[A-Za-z0-9._~-]{1,64}$/;

/**
 * The request's id: the caller's `X-Request-Id` when it can be logged unchanged, else a new one.
 *
 * @example readRequestId(request, () => randomUUID())
 */
function readRequestId(request: IncomingMessage, newRequestId: () => string): string {
  const presented = request.headers["x-request-id"];
  return typeof presented === "string" && sane.test(presented) ? presented : newRequestId();
}

/**
 * Makes the HTTP API, in both shapes, over the operations it is handed.
 *
 * @example createServer(createHttpApp({ operationsFor, info, apiErrorOf, log, newRequestId: randomUUID, monotonicClock: () => performance.now() }))
 */
export function createHttpApp(dependencies: HttpDependencies): RequestListener {
  const { log } = dependencies;
  const app = new Koa({ env: "production" });
  app.on("error", (error: Error) => {
    log[isLostConnection(error) ? "debug" : "error"]({ err: error }, "not answered");
  });
  app.use(exchange(dependencies));
  app.use(routerOf(servedRoutes(dependencies)).routes());
  app.use(routerOf(unsupportedRoutes(dependencies)).routes());
  const listener = app.callback();
  return (request, response) => void listener(request, response);
}

interface Exchange {
  answer?: Answer | StreamAnswer;
  /** The facts that are logged of a call beside its answer. */
  facts: CallFacts;
}

/** A connection that went away under its request, or said something that is not HTTP: the network's matter, not ours. */
function isLostConnection(error: Error): boolean {
  if ("syscall" in error) return true;
  return "code" in error && /^(?:HPE|ERR_HTTP_REQUEST|ERR_SSL|ERR_STREAM)_/.test(String(error.code));
}

const verbs = { GET: "get", POST: "post", PUT: "put", DELETE: "delete" } as const;

function routerOf(routes: readonly Route[]): Router<Exchange> {
  const router = new Router<Exchange>({ sensitive: true, strict: true });
  for (const { method, path, respond } of routes) {
    router[verbs[method]](path.template, path.pattern, async (context) => {
      const { facts } = context.state;
      const note = (found: CallFacts): void => void Object.assign(facts, found);
      context.state.answer = await respond(context.req, context.captures ?? [], () => goneSignal(context.res), note);
    });
  }
  return router;
}

/** Aborts when the connection is closed, by whichever side. */
function goneSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  if (response.destroyed) controller.abort();
  response.once("close", () => {
    controller.abort();
  });
  return controller.signal;
}

/**
 * Around every request: whatever happens below it, one answer is written and then one line logged.
 *
 * The answer goes out past Koa's own writing (`respond = false`), which would look at it again and costs 6 µs.
 */
function exchange({
  apiErrorOf,
  log,
  newRequestId,
  monotonicClock,
}: HttpDependencies): Middleware<Exchange, RouterContext> {
  return async function exchange(context, next) {
    const startedAt = monotonicClock?.();
    const requestId = readRequestId(context.req, newRequestId);
    context.respond = false;
    context.state.facts = {};
    let answer: Answer | StreamAnswer;
    try {
      await next();
      answer = context.state.answer ?? errorAnswer(unmatched(context));
    } catch (error) {
      const apiError = apiErrorOf(error);
      if (apiError.status >= 500) log.error({ requestId, err: error }, "failed");
      answer = errorAnswer(apiError);
    }
    if ("body" in answer) writeAnswer(context.res, answer, requestId);
    else await writeStream(context.res, answer, requestId);
    const outcome = "outcome" in answer ? answer.outcome : undefined;
    const clientAddress = readClientAddress(context.req.headers[clientAddressHeader]);
    const { level, ...record } = callRecord(outcome, context.state.facts, clientAddress);
    log[level](
      {
        requestId,
        method: context.req.method,
        route: context.matched?.[0]?.name,
        status: answer.status,
        ...record,
        ms: startedAt === undefined || monotonicClock === undefined ? undefined : tenths(monotonicClock() - startedAt),
      },
      "request",
    );
  };
}

/** Milliseconds with one decimal. */
function tenths(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}

function unmatched({ matched = [] }: RouterContext) {
  return matched.length === 0 ? nothingHere() : methodNotAllowed(matched.flatMap(({ methods }) => methods));
}
