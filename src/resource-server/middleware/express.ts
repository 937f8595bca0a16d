import type { NextFunction, Request, RequestHandler, Response } from "express";
import { closeConnection, guardWriting } from "../../serving/answer-or-close.ts";
import { asError, warnOfFault } from "../../serving/fault.ts";
import type { AccessToken } from "../decision/access-token.ts";
import type { ResourceServerOptions } from "../resource-server-options.ts";
import type { ResourceServer } from "../resource-server.ts";
import type { Refusal } from "./authorize-request.ts";
import { type HttpAnswer, metadataAnswer, writeAnswer } from "./http-answer.ts";
import type { ProtectedResourceMetadata } from "../protected-resource-metadata.ts";
import { demandScopes, openProtection, type ProtectionOptions } from "./protection.ts";

/** Entry `certbound/express`, for Express 5. */

export type { Refusal };

/** The options of `protect`; functions get Express's request. */
export type ProtectOptions = ProtectionOptions<Request>;

declare global {
  // Express's types offer no other way to declare what middleware adds to a request.
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Express {
    interface Request {
      /** The token of this request; `undefined` before `protect`. */
      accessToken?: AccessToken;
    }
  }
}

/**
 * Express middleware that passes on requests whose token gives access to the API, and refuses all others (RFC 6750 §3).
 *
 * Refusals are sent here and never reach error handlers; faults do. Responses to granted requests have `Cache-Control:
 * no-store` unless the API sets another value. Put CORS middleware before it: preflight requests have no token.
 *
 * @example app.use(protect(createResourceServer({ backend, resource }), { requirement: { scopes: ["read"] } }))
 * app.get("/hello", (request, response) => response.json({ hello: accessTokenOf(request).sub }))
 */
export function protect(
  resourceServer: ResourceServer | ResourceServerOptions,
  options: ProtectOptions = {},
): RequestHandler {
  const protection = openProtection(resourceServer, options);
  return async function protectedByAccessToken(request, response, next) {
    try {
      const body: unknown = request.body;
      const target = (request.originalUrl as string | undefined) ?? request.url;
      const entrance = await protection.enter({ context: request, request, body, target, connection: response });
      if (entrance.kind === "gone") return;
      if (entrance.kind === "refused") {
        write(request, response, entrance.answer);
        return;
      }
      request.accessToken = entrance.accessToken;
      response.setHeader("Cache-Control", "no-store");
    } catch (error) {
      goOn(request, response, next, asError(error));
      return;
    }
    goOn(request, response, next);
  };
}

/**
 * Express middleware for a route after {@link protect}: responds with 403 unless the token covers these scopes (RFC
 * 6750 §3.1).
 *
 * @example app.post("/payments", requireScopes("payments:write"), pay)
 */
export function requireScopes(...scopes: readonly [string, ...string[]]): RequestHandler {
  const demand = demandScopes(scopes);
  return function withScopes(request, response, next) {
    let refusal: HttpAnswer | undefined;
    try {
      refusal = demand(request);
    } catch (error) {
      goOn(request, response, next, asError(error));
      return;
    }
    if (refusal === undefined) next();
    else write(request, response, refusal);
  };
}

/**
 * Returns the token of a request; throws without {@link protect} before it.
 *
 * @example accessTokenOf(request).clientId
 */
export function accessTokenOf({ accessToken }: Pick<Request, "accessToken">): AccessToken {
  if (accessToken === undefined) throw new Error("The request did not come through protect.");
  return accessToken;
}

/**
 * Express middleware that serves the metadata of the protected resource; put it before {@link protect} (RFC 9728 §3).
 *
 * @example app.use(serveMetadata(metadata)).use(protect(resourceServer, { resourceMetadata: metadata }))
 */
export function serveMetadata(metadata: ProtectedResourceMetadata): RequestHandler {
  return function metadataOfResource(request, response, next) {
    const answer = metadataAnswer(metadata, request.method, request.originalUrl);
    if (answer === undefined) next();
    else write(request, response, answer);
  };
}

/** Ends the request even if writing fails: later middleware must not treat it as granted. */
function write(request: Request, response: Response, answer: HttpAnswer): void {
  const unwritten = writeAnswer(request, response, answer);
  if (unwritten !== undefined) warnOfFault(unwritten);
}

/** The caller may not be Express and may ignore promises: engine.io, for example. */
function goOn(request: Request, response: Response, next: NextFunction, error?: Error): void {
  try {
    if (error === undefined) {
      next();
      return;
    }
    guardWriting(request, response);
    // If this getter throws, Express's final handler would throw where nothing catches it.
    String(response.headersSent);
    next(error);
  } catch (thrown) {
    closeConnection(request, response);
    warnOfFault(thrown);
  }
}
