import { createServer as createHttpsServer } from "node:https";
import { createSecureServer } from "node:http2";
import type { Server } from "node:net";
import { bodyParser } from "@koa/bodyparser";
import Koa from "koa";
import type { Refusal } from "../../src/resource-server/middleware/authorize-request.ts";
import * as forKoa from "../../src/resource-server/middleware/koa.ts";
import type { ProtectionOptions } from "../../src/resource-server/middleware/protection.ts";
import type { ProtectedResourceMetadata } from "../../src/resource-server/protected-resource-metadata.ts";
import type { RouteRequirement } from "../../src/resource-server/decision/read-requirement.ts";
import type { ResourceServer } from "../../src/resource-server/resource-server.ts";

/** The options of `protect` that every framework has in the same form. */
export type Protection = Pick<ProtectionOptions<unknown>, "certificate" | "realm" | "resourceMetadata"> & {
  readonly requirement?: RouteRequirement;
  readonly issuer?: string;
};

/**
 * What an API in each framework is made of: `/` answers the token's subject, `/pay` demands the scope `pay` besides,
 * `/both` demands `read` and `pay`, `/cached` says how long its answer keeps, `/broken` fails.
 */
export interface ApiParts {
  readonly resourceServer: ResourceServer;
  readonly protection: Protection;
  readonly onRefusal: (refusal: Refusal) => void;
  readonly metadata: ProtectedResourceMetadata | undefined;
  /** Parses forms and JSON before the protection, where the framework does not do that itself. */
  readonly parseBodies: boolean;
  /** On Koa only: middleware in front of the protection, and behind it. */
  readonly before?: Koa.Middleware<forKoa.ProtectedState>;
  readonly after?: Koa.Middleware<forKoa.ProtectedState>;
  readonly onServed: () => void;
  readonly onFault: (error: unknown) => void;
}

export interface Framework {
  readonly name: string;
  readonly http: "1.1" | "2";
  start(tls: object, parts: ApiParts): Promise<Server>;
}

export const cached = "private, max-age=60";
export const broken = (): Promise<never> => Promise.reject(new Error("The API's own fault."));

export function serve(
  tls: object,
  http: Framework["http"],
  listener: (request: never, response: never) => void,
): Server {
  return http === "2"
    ? createSecureServer({ ...tls, allowHTTP1: true }, listener as (request: unknown, response: unknown) => void)
    : createHttpsServer(tls, listener as (request: unknown, response: unknown) => void);
}

export const koa = (http: Framework["http"]): Framework => ({
  name: `koa, HTTP/${http}`,
  http,
  // eslint-disable-next-line @typescript-eslint/require-await
  async start(tls, { resourceServer, protection, onRefusal, metadata, parseBodies, before, after, onServed, onFault }) {
    const app = new Koa<forKoa.ProtectedState>();
    app.on("error", onFault);
    if (before) app.use(before);
    if (parseBodies) app.use(bodyParser());
    if (metadata) app.use(forKoa.serveMetadata(metadata));
    app.use(forKoa.protect(resourceServer, { ...protection, onRefusal }));
    if (after) app.use(after);
    const scopes = { "/pay": forKoa.requireScopes("pay"), "/both": forKoa.requireScopes("read", "pay") };
    app.use(async (ctx, next) => {
      if (ctx.path in scopes) await scopes[ctx.path as keyof typeof scopes](ctx, next);
      else await next();
    });
    app.use(async (ctx) => {
      onServed();
      if (ctx.path === "/broken") await broken();
      if (ctx.path === "/cached") ctx.set("Cache-Control", cached);
      ctx.body = ctx.state.accessToken.sub ?? "nobody";
    });
    const handle = app.callback();
    return serve(tls, http, (request, response) => void handle(request, response));
  },
});

export const onKoa = koa("1.1");
