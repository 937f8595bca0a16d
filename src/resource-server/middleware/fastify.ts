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

/** The options of the plugin; functions among them are handed Fastify's request. */
export interface CertboundOptions extends ProtectionOptions<FastifyRequest> {
  readonly resourceServer: ResourceServer | ResourceServerOptions;
}

/** The options of the plugin `serveMetadata`. */
export interface MetadataOptions {
  readonly metadata: ProtectedResourceMetadata;
}

declare module "fastify" {
  interface FastifyRequest {
    /** The token that let this request in; `null` where nothing protects the route. */
    accessToken: AccessToken | null;
  }
  interface FastifyContextConfig {
    /** What this route demands besides; `false`: it is open to everybody. */
    accessToken?: RouteRequirement | false;
  }
}

const optionNames: ReadonlySet<string> = new Set([...protectionOptionNames, "resourceServer"]);

/**
 * Fastify plugin that lets requests to its scope through when their token opens the API, and answers all others
 * (RFC 6750 §3), before their body is read.
 *
 * It protects every route of the scope it is registered in, and of the scopes below; also what is no route there. A
 * route's `config.accessToken` demands more: its scopes and resources come on top of the plugin's `requirement`, its
 * other members stand in for them; `false` opens it to everybody. A granted request's answer is `Cache-Control:
 * no-store` unless the API says otherwise. CORS goes before it: what a browser asks beforehand has no token.
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
    // A route's wrong demand is a wrong program, and the place to say so is where it starts.
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
    // Only here the body has been read.
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
 * The token that let a request in; throws where nothing protects the route.
 *
 * @example accessTokenOf(request).clientId
 */
export function accessTokenOf({ accessToken }: Pick<FastifyRequest, "accessToken">): AccessToken {
  if (accessToken === null || (accessToken as unknown) === undefined) throw new Error("Nothing protects this route.");
  return accessToken;
}

/**
 * Fastify plugin that serves the metadata of the protected resource, open to everybody (RFC 9728 §3).
 *
 * @example await fastify.register(serveMetadata, { metadata });
 */
// eslint-disable-next-line @typescript-eslint/require-await -- see above.
export const serveMetadata: FastifyPluginAsync<MetadataOptions, RawServerBase> = async (fastify, { metadata }) => {
  fastify.route({
    method: ["GET", "OPTIONS"],
    // A colon would begin the name of a parameter.
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
 * Writes the answer of a request that must get no further.
 *
 * While other plugins' `onSend` holds an answer back it counts as not sent, and Fastify would go on to the handler when
 * the client leaves meanwhile.
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
  // Fastify gives every text a type, an empty one too.
  return body === "" ? reply.send() : reply.send(body);
}
