import type { Context, Middleware } from "koa";
import type { CertificateSource } from "../../client-certificate/certificate-source.ts";
import { tlsSocket } from "../../client-certificate/tls-socket.ts";
import type { AccessToken } from "../access-token.ts";
import { authorizeRequest, type Refusal, refusalBody } from "../authorize-request.ts";
import { createResourceServer } from "../create-resource-server.ts";
import { refuseUnknownOptions } from "../refuse-unknown-options.ts";
import { readRequirement, type RouteRequirement } from "../read-requirement.ts";
import type { ResourceServer } from "../resource-server.ts";
import type { ResourceServerOptions } from "../resource-server-options.ts";

export type { Refusal };

export interface ProtectOptions {
  /** Where the certificate comes from; default: the TLS socket. A header is never read unless a source says so. */
  readonly certificate?: CertificateSource;
  readonly requirement?: RouteRequirement;
  /** The protection space in challenges; default: the resource server's. */
  readonly realm?: string;
  /** Told of every refusal before it is answered: `code` and `reason` are for the operator's log. */
  readonly onRefusal?: (refusal: Refusal, context: Context) => void;
}

/** What `protect` puts into `ctx.state`. */
export interface ProtectedState {
  accessToken: AccessToken;
}

const optionNames: ReadonlySet<string> = new Set<keyof ProtectOptions>([
  "certificate",
  "requirement",
  "realm",
  "onRefusal",
]);

function isResourceServer(given: ResourceServer | ResourceServerOptions): given is ResourceServer {
  return typeof given === "object" && "authorize" in given;
}

/** How the answer of a later `requireScopes` must look; by `ctx.state`, which is one request's own. */
const protections = new WeakMap<
  object,
  { readonly server: ResourceServer; readonly realm: string | undefined; readonly options: ProtectOptions }
>();

/**
 * Koa middleware that lets a request through when its token opens the API, and answers it otherwise (RFC 6750 §3).
 *
 * @example app.use(protect(createResourceServer({ backend, resource }), { requirement: { scopes: ["read"] } }))
 * app.use((ctx) => { ctx.body = `Hello ${ctx.state.accessToken.sub}` })
 */
export function protect(
  resourceServer: ResourceServer | ResourceServerOptions,
  options: ProtectOptions = {},
): Middleware<ProtectedState> {
  refuseUnknownOptions(options, optionNames);
  const server = isResourceServer(resourceServer) ? resourceServer : createResourceServer(resourceServer);
  const { certificate = tlsSocket(), realm = server.realm } = options;
  const requirement = readRequirement(options.requirement);

  return async function protectedByAccessToken(ctx, next) {
    const { body } = ctx.request as { body?: unknown };
    const admission = await authorizeRequest(
      server,
      { rawHeaders: ctx.req.rawHeaders, body },
      { certificate: () => certificate(ctx.req), requirement, realm },
    );
    if (!admission.granted) {
      answer(ctx, admission.refusal, options);
      return;
    }
    ctx.state.accessToken = admission.accessToken;
    protections.set(ctx.state, { server, realm, options });
    // What is answered hangs on token and certificate (RFC 9440 §2.4); the API may say otherwise after this.
    ctx.set("Cache-Control", "no-store");
    await next();
  };
}

/**
 * Koa middleware for one route behind {@link protect}: the token must cover these scopes, else 403 (RFC 6750 §3.1).
 *
 * @example router.post("/payments", requireScopes("payments:write"), pay)
 */
export function requireScopes(...scopes: readonly [string, ...string[]]): Middleware<ProtectedState> {
  readRequirement({ scopes });
  return async function withScopes(ctx, next) {
    const protection = protections.get(ctx.state);
    if (protection === undefined) throw new Error("requireScopes stands before protect, or without it.");
    const { server, realm, options } = protection;
    const { accessToken } = ctx.state;
    if (scopes.every((scope) => accessToken.scopes.includes(scope))) await next();
    else answer(ctx, server.refuse("scope_insufficient", { realm, scopes, accessToken }), options);
  };
}

function answer(
  ctx: Pick<Context, "status" | "set" | "body" | "remove">,
  refusal: Refusal,
  { onRefusal }: ProtectOptions,
): void {
  onRefusal?.(refusal, ctx as Context);
  ctx.status = refusal.status;
  ctx.set(refusal.headers);
  ctx.body = refusalBody(refusal) ?? "";
}
