import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest, RawServerBase } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { optionError } from "../../options/option-error.ts";
import { refuseUnknownOptions } from "../../options/refuse-unknown-options.ts";
import { closeConnection, guardWriting } from "../../serving/answer-or-close.ts";
import { warnOfFault } from "../../serving/fault.ts";
import type { AccessToken } from "../decision/access-token.ts";
import { readRequirement, type RouteRequirement } from "../decision/read-requirement.ts";
import type { ResourceServerOptions } from "../resource-server-options.ts";
import type { ResourceServer } from "../resource-server.ts";
import { hasBodyToken, type Refusal } from "./authorize-request.ts";
import { type HttpAnswer, metadataAnswer } from "./http-answer.ts";
import type { ProtectedResourceMetadata } from "../protected-resource-metadata.ts";
import { openProtection, protectionOptionNames, type ProtectionOptions, readDemand } from "./protection.ts";

/** Entry `certbound/fastify`, for Fastify 5. */

export type { Refusal };

/** The options of the plugin; functions get Fastify's request. */
export interface CertboundOptions extends ProtectionOptions<FastifyRequest> {
  readonly resourceServer: ResourceServer | ResourceServerOptions;
}

/** The options of the plugin `serveMetadata`. */
export interface MetadataOptions {
  readonly metadata: ProtectedResourceMetadata;
}

declare module "fastify" {
  interface FastifyRequest {
    /** The token of this request; `null` if the route is not protected. */
    accessToken: AccessToken | null;
  }
  interface FastifyContextConfig {
    /** Further requirements of this route; `false`: not protected. */
    accessToken?: RouteRequirement | false;
  }
}

const optionNames: ReadonlySet<string> = new Set([...protectionOptionNames, "resourceServer"]);

/**
 * Fastify plugin that passes on requests in its scope whose token gives access to the API, and refuses all others (RFC
 * 6750 §3), before their body is read.
 *
 * It protects every route of the scope it is registered in and of the scopes below, and unknown routes there. A route's
 * `config.accessToken` adds to the plugin's `requirement`: its scopes and resources are added, its other members
 * replace those of the plugin; `false` removes the protection. Responses to granted requests have `Cache-Control:
 * no-store` unless the API sets another value. Register CORS before it: preflight requests have no token.
 *
 * @example await fastify.register(certbound, { resourceServer, requirement: { scopes: ["read"] } });
 * fastify.get("/hello", (request) => ({ hello: accessTokenOf(request).sub }));
 * fastify.post("/payments", { config: { accessToken: { scopes: ["payments:write"] } } }, pay);
 */
export const certbound: FastifyPluginAsync<CertboundOptions, RawServerBase> = fastifyPlugin(
  // eslint-disable-next-line @typescript-eslint/require-await -- a plugin says by it that it calls nothing back.
  async (fastify: FastifyInstance<RawServerBase>, options: CertboundOptions): Promise<void> => {
    refuseUnknownOptions(options, optionNames);
    const { resourceServer, requirement, ...others } = options;
    const protection = openProtection<FastifyRequest>(resourceServer, others);
    const demandOf = readDemand(requirement);

    if (!fastify.hasRequestDecorator("accessToken")) fastify.decorateRequest("accessToken", null);
    // Reports a route's wrong requirement when the program starts.
    fastify.addHook("onRoute", ({ config }) => {
      readRouteDemand(config?.accessToken);
    });
    fastify.addHook("onRequest", async (given, reply) => {
      const request = given as FastifyRequest;
      const demand = request.routeOptions.config.accessToken;
      if (demand === false) return;
      const entered = protection.enter({
        context: request,
        request: request.raw,
        body: undefined,
        target: request.originalUrl,
        connection: reply.raw,
        requirement: (context) => combine(demandOf(context), demand),
      });
      const entrance = await entered.catch((error: unknown) => {
        guardWriting(request.raw, reply.raw);
        throw error;
      });
      if (entrance.kind === "gone") {
        reply.hijack();
        return;
      }
      if (entrance.kind === "refused") return refuse(reply as FastifyReply, entrance.answer);
      request.accessToken = entrance.accessToken;
      reply.header("cache-control", "no-store");
    });
    // The body is available from here on.
    fastify.addHook("preHandler", async (given, reply) => {
      const request = given as FastifyRequest;
      if (request.accessToken === null || !hasBodyToken({ rawHeaders: request.raw.rawHeaders, body: request.body }))
        return;
      const reason = "the request presents its access token in a wrong way: in the header and in the body";
      return refuse(reply as FastifyReply, protection.refuse("request_malformed", request, { reason }));
    });
  },
  { fastify: "5.x", name: "certbound" },
);

export default certbound;

/**
 * Returns the token of a request; throws if the route is not protected.
 *
 * @example accessTokenOf(request).clientId
 */
export function accessTokenOf({ accessToken }: Pick<FastifyRequest, "accessToken">): AccessToken {
  if (accessToken === null || (accessToken as unknown) === undefined) throw new Error("Nothing protects this route.");
  return accessToken;
}

/**
 * Fastify plugin that serves the metadata of the protected resource without protection (RFC 9728 §3).
 *
 * @example await fastify.register(serveMetadata, { metadata });
 */
// eslint-disable-next-line @typescript-eslint/require-await -- see above.
export const serveMetadata: FastifyPluginAsync<MetadataOptions, RawServerBase> = async (fastify, { metadata }) => {
  fastify.route({
    method: ["GET", "OPTIONS"],
    // A single colon would start a parameter name.
    url: metadata.path.replaceAll(":", "::"),
    config: { accessToken: false },
    handler: (request, reply) => {
      const answer = metadataAnswer(metadata, request.method, metadata.path);
      return answer && write(reply as FastifyReply, answer);
    },
  });
};

function readRouteDemand(demand: unknown): void {
  if (demand === undefined || demand === false) return;
  if (typeof demand !== "object" || demand === null)
    throw optionError("config.accessToken", "must be an object or false");
  readRequirement(demand);
}

function combine(base: RouteRequirement, route: RouteRequirement | undefined): RouteRequirement {
  if (route === undefined) return base;
  const scopes = union(base.scopes, route.scopes);
  const resources = union(base.resources, route.resources);
  return { ...base, ...route, ...(scopes && { scopes }), ...(resources && { resources }) };
}

function union(some: readonly string[] | undefined, others: readonly string[] | undefined) {
  return some && others ? [...new Set([...some, ...others])] : (some ?? others);
}

/**
 * Refuses a request, so that no handler runs.
 *
 * While another plugin's `onSend` delays the response, it counts as not sent, and Fastify would run the handler if the
 * client disconnected meanwhile.
 */
async function refuse(reply: FastifyReply, answer: HttpAnswer): Promise<void> {
  try {
    guardWriting(reply.request.raw, reply.raw);
    await write(reply, answer);
  } catch (error) {
    closeConnection(reply.request.raw, reply.raw);
    warnOfFault(error);
  }
  if (!reply.sent) reply.hijack();
}

function write(reply: FastifyReply, { status, headers, body }: HttpAnswer): FastifyReply {
  reply.code(status).headers(headers);
  // Fastify sets a Content-Type for every string, even an empty one.
  return body === "" ? reply.send() : reply.send(body);
}
