import type { EventEmitter } from "node:events";
import type { CertificateOfConnection, CertificateSource } from "../../client-certificate/certificate-source.ts";
import { peerSocketOf, tlsSocket } from "../../client-certificate/tls-socket.ts";
import { optionError } from "../../options/option-error.ts";
import { refuseUnknownOptions } from "../../options/refuse-unknown-options.ts";
import { disown, tellHook } from "../../serving/call-harmlessly.ts";
import { asError } from "../../serving/fault.ts";
import type { AccessToken } from "../decision/access-token.ts";
import { readRequirement, type RouteRequirement } from "../decision/read-requirement.ts";
import type { ResourceServerOptions } from "../resource-server-options.ts";
import { createResourceServer, type RefuseDetails, type ResourceServer } from "../resource-server.ts";
import { setupWatchOf } from "../setup/setup-watch.ts";
import { authorizeRequest, type Refusal } from "./authorize-request.ts";
import { type HttpAnswer, type NodeRequest, refusalAnswer } from "./http-answer.ts";
import type { ProtectedResourceMetadata } from "../protected-resource-metadata.ts";

/** The options of protection in every framework; `Context` is the framework's request object. */
export interface ProtectionOptions<Context> {
  /** Where the certificate comes from; default: the TLS socket. Headers are read only by a header source. */
  readonly certificate?: CertificateSource;
  /** The requirement for the token; a function if it depends on the request (its subject, for example). */
  readonly requirement?: RouteRequirement | ((context: Context) => RouteRequirement);
  /** The required issuer of the token, if the resource server has several. */
  readonly issuer?: string | ((context: Context) => string);
  /** The realm in challenges; default: the resource server's. */
  readonly realm?: string;
  /** The metadata for challenges (RFC 9728 §5.1), or their URL. */
  readonly resourceMetadata?: ProtectedResourceMetadata | string;
  /**
   * Called with every refusal before the response: `code` and `reason` are for the operator's log. If it throws or
   * rejects, responses are unchanged; a warning is emitted once.
   */
  readonly onRefusal?: (refusal: Refusal, context: Context) => void;
}

export const protectionOptionNames: ReadonlySet<string> = new Set<keyof ProtectionOptions<never>>([
  "certificate",
  "requirement",
  "issuer",
  "realm",
  "resourceMetadata",
  "onRefusal",
]);

/** An incoming request. */
interface Arrival<Context> {
  readonly context: Context;
  readonly request: NodeRequest;
  /** The result of a body parser that ran before, if any. */
  readonly body: unknown;
  /** The target of the request line as received, before a router changed it. */
  readonly target: string | undefined;
  /**
   * Emits `close` when the client disconnects: the response, or the socket of an upgrade; otherwise the request's
   * socket is used.
   */
  readonly connection: Partial<Connection>;
  /** The requirement of the route, instead of the protection's. */
  readonly requirement?: (context: Context) => RouteRequirement;
}

type Connection = EventEmitter & { readonly destroyed?: boolean };

/** `gone`: the client has disconnected, so no response is needed. */
type Entrance =
  | { readonly kind: "granted"; readonly accessToken: AccessToken }
  | { readonly kind: "refused"; readonly answer: HttpAnswer }
  | { readonly kind: "gone" };

export interface Protection<Context> {
  enter(arrival: Arrival<Context>): Promise<Entrance>;
  /** Refuses a request that was granted before. */
  refuse(code: "scope_insufficient" | "request_malformed", context: Context, details: RefuseDetails): HttpAnswer;
}

/** Granted requests, with what later requirements of a route need. */
const admissions = new WeakMap<
  NodeRequest,
  { readonly accessToken: AccessToken; readonly refuse: (scopes: readonly string[]) => HttpAnswer }
>();

const gone: Entrance = Object.freeze({ kind: "gone" });

/**
 * Connects a framework with the resource server; the entry for each framework is a thin layer over it.
 *
 * If the client disconnects, only its own request stops waiting. Rejects with faults only, always with an `Error`: some
 * frameworks continue for `undefined`.
 *
 * @example const entrance = await openProtection(api, options).enter({ context, request, body, connection: response })
 */
export function openProtection<Context>(
  given: ResourceServer | ResourceServerOptions,
  options: ProtectionOptions<Context>,
): Protection<Context> {
  refuseUnknownOptions(options, protectionOptionNames);
  const server = isResourceServer(given) ? given : createResourceServer(given);
  const setup = setupWatchOf(server);
  const { certificate = tlsSocket(), realm, onRefusal } = options;
  const ofConnection = certificate === tlsSocket();
  const resourceMetadata = readMetadataUrl(options.resourceMetadata);
  const requirementOf = readDemand(options.requirement);
  const issuerOf = readIssuer(options.issuer);

  const answer = (refusal: Refusal, context: Context): HttpAnswer => {
    tellHook("onRefusal", onRefusal, refusal, context);
    return refusalAnswer(refusal);
  };
  const refuse: Protection<Context>["refuse"] = (code, context, details) =>
    answer(server.refuse(code, { ...details, realm, resourceMetadata }), context);

  return {
    refuse,
    async enter({ context, request, body, target, connection, requirement = requirementOf }) {
      const leaving = new AbortController();
      const leave = (): void => {
        leaving.abort();
      };
      let watched: Connection | undefined;
      let presented = undefined as CertificateOfConnection;
      try {
        watched = emitterOf(connection) ?? emitterOf(request.socket);
        if (watched?.destroyed === true) return gone;
        watched?.once("close", leave);
        const admission = await authorizeRequest(
          server,
          { rawHeaders: request.rawHeaders, target, body },
          {
            certificate: () => {
              presented = disown(certificate(request));
              return presented;
            },
            requirement: requirement(context),
            issuer: issuerOf(context),
            realm,
            resourceMetadata,
            signal: leaving.signal,
          },
        );
        if (leaving.signal.aborted) return gone;
        if (presented !== undefined && !("unreadable" in presented)) setup?.certificateArrived();
        else if (!admission.granted) {
          setup?.refused({ presented, refusal: admission.refusal, ofConnection, encrypted: isEncrypted(request) });
        }
        if (!admission.granted) return { kind: "refused", answer: answer(admission.refusal, context) };
        const { accessToken } = admission;
        admissions.set(request, {
          accessToken,
          refuse: (scopes) => refuse("scope_insufficient", context, { scopes, accessToken }),
        });
        return { kind: "granted", accessToken };
      } catch (error) {
        if (leaving.signal.aborted) return gone;
        throw asError(error);
      } finally {
        watched?.off("close", leave);
      }
    },
  };
}

/**
 * Checks further scopes of a granted request: returns `undefined` if its token covers them, otherwise the response.
 *
 * @example const refusal = demandScopes(["payments:write"])(request)
 */
export function demandScopes(scopes: readonly string[]): (request: NodeRequest) => HttpAnswer | undefined {
  if (scopes.length === 0) throw optionError("scopes", "must not be empty");
  readRequirement({ scopes });
  return (request) => {
    const admission = admissions.get(request);
    if (admission === undefined) throw new Error("requireScopes stands before protect, or without it.");
    const { accessToken, refuse } = admission;
    return scopes.every((scope) => accessToken.scopes.includes(scope)) ? undefined : refuse(scopes);
  };
}

/** Some programs pass middleware a substitute for a response, which has no events. */
function emitterOf(given: Partial<Connection> | null | undefined): Connection | undefined {
  return typeof given?.once === "function" && typeof given.off === "function" ? (given as Connection) : undefined;
}

function isResourceServer(given: ResourceServer | ResourceServerOptions): given is ResourceServer {
  return typeof given === "object" && (given as unknown) !== null && "authorize" in given;
}

function readMetadataUrl(given: ProtectedResourceMetadata | string | undefined): string | undefined {
  const url = typeof given === "object" ? given.url : given;
  if (url !== undefined && !URL.canParse(url)) throw optionError("resourceMetadata", "must be metadata or their URL");
  return url;
}

/**
 * Checks the option `requirement`: a requirement, or a function that returns it for a request.
 *
 * @example readDemand(options.requirement)(context)
 */
export function readDemand<Context>(
  given: ProtectionOptions<Context>["requirement"],
): (context: Context) => RouteRequirement {
  if (typeof given !== "function") {
    const requirement = readRequirement(given);
    return () => requirement;
  }
  return (context) => {
    const demanded = disown(given(context) as RouteRequirement | undefined);
    // A function that forgets to return must not disable the requirement.
    if (demanded === undefined) throw optionError("requirement", "returned nothing for this request");
    return readRequirement(demanded);
  };
}

function readIssuer<Context>(given: ProtectionOptions<Context>["issuer"]): (context: Context) => string | undefined {
  if (given === undefined || typeof given === "string") return () => given;
  return (context) => {
    const issuer = disown(given(context) as string | undefined);
    if (typeof issuer !== "string") throw optionError("issuer", "returned no name for this request");
    return issuer;
  };
}

/** Whether this process terminates the connection's TLS. */
function isEncrypted(request: NodeRequest): boolean {
  const socket = peerSocketOf(request) as { readonly encrypted?: boolean } | undefined;
  return socket?.encrypted === true;
}
