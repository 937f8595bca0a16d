import type { Context, Middleware } from "koa";
import { closeConnection, guardWriting } from "../../serving/answer-or-close.ts";
import { warnOfFault } from "../../serving/fault.ts";
import type { AccessToken } from "../decision/access-token.ts";
import type { ResourceServerOptions } from "../resource-server-options.ts";
import type { ResourceServer } from "../resource-server.ts";
import type { Refusal } from "./authorize-request.ts";
import { type HttpAnswer, metadataAnswer } from "./http-answer.ts";
import type { ProtectedResourceMetadata } from "../protected-resource-metadata.ts";
import { demandScopes, openProtection, type ProtectionOptions } from "./protection.ts";

/** Entry `certbound/koa`. */

export type { Refusal };

/** The options of `protect`; functions get Koa's context. */
export type ProtectOptions = ProtectionOptions<Context>;

/** The members of `ctx.state` that `protect` sets. */
export interface ProtectedState {
  accessToken: AccessToken;
}

/**
 * Koa middleware that passes on requests whose token gives access to the API, and refuses all others (RFC 6750 §3).
 *
 * Responses to granted requests have `Cache-Control: no-store` unless the API sets another value. Put CORS middleware
 * before it: preflight requests have no token.
 *
 * @example app.use(protect(createResourceServer({ backend, resource }), { requirement: { scopes: ["read"] } }))
 * app.use((ctx) => { ctx.body = `Hello ${ctx.state.accessToken.sub}` })
 */
export function protect(
  resourceServer: ResourceServer | ResourceServerOptions,
  options: ProtectOptions = {},
): Middleware<ProtectedState> {
  const protection = openProtection(resourceServer, options);
  return async function protectedByAccessToken(ctx, next) {
    const { body } = ctx.request as { body?: unknown };
    try {
      const entrance = await protection.enter({
        context: ctx,
        request: ctx.req,
        body,
        target: ctx.originalUrl,
        connection: ctx.res,
      });
      if (entrance.kind === "gone") return;
      if (entrance.kind === "refused") {
        write(ctx, entrance.answer);
        return;
      }
      ctx.state.accessToken = entrance.accessToken;
      ctx.set("Cache-Control", "no-store");
    } catch (error) {
      fail(ctx, error);
      return;
    }
    await next();
  };
}

/**
 * Koa middleware for a route after {@link protect}: responds with 403 unless the token covers these scopes (RFC 6750
 * §3.1).
 *
 * @example router.post("/payments", requireScopes("payments:write"), pay)
 */
export function requireScopes(...scopes: readonly [string, ...string[]]): Middleware<ProtectedState> {
  const demand = demandScopes(scopes);
  return async function withScopes(ctx, next) {
    const refusal = demand(ctx.req);
    if (refusal === undefined) await next();
    else write(ctx, refusal);
  };
}

/**
 * Koa middleware that serves the metadata of the protected resource; put it before {@link protect} (RFC 9728 §3).
 *
 * @example app.use(serveMetadata(metadata)).use(protect(resourceServer, { resourceMetadata: metadata }))
 */
export function serveMetadata(metadata: ProtectedResourceMetadata): Middleware {
  return async function metadataOfResource(ctx, next) {
    const answer = metadataAnswer(metadata, ctx.method, ctx.originalUrl);
    if (answer === undefined) await next();
    else write(ctx, answer);
  };
}

function write(ctx: Written, { status, headers, body }: HttpAnswer): void {
  guardWriting(ctx.req, ctx.res);
  try {
    if (ctx.headerSent) {
      if (!ctx.res.writableEnded) giveUp(ctx, new Error("The answer could not be written: another one had begun."));
      return;
    }
    ctx.status = status;
    ctx.set(headers);
    ctx.body = body;
    // Koa sets a Content-Type for every string, even an empty one.
    if (body === "") ctx.remove("Content-Type");
  } catch (error) {
    giveUp(ctx, error);
  }
}

/** Rethrows the fault for Koa to respond, unless Koa cannot: nothing catches the errors of its last response. */
function fail(ctx: Written, fault: unknown): void {
  guardWriting(ctx.req, ctx.res);
  try {
    // Koa would leave the connection open.
    if (ctx.headerSent && ctx.writable) closeConnection(ctx.req, ctx.res);
  } catch {
    giveUp(ctx, fault);
    return;
  }
  throw fault;
}

function giveUp(ctx: Written, error: unknown): void {
  ctx.respond = false;
  closeConnection(ctx.req, ctx.res);
  warnOfFault(error);
}

type Written = Pick<
  Context,
  "req" | "res" | "respond" | "status" | "set" | "body" | "remove" | "headerSent" | "writable"
>;
