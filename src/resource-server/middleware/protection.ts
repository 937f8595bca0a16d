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

/** How routes are protected, in every framework; `Context` is what the framework calls a request. */
export interface ProtectionOptions<Context> {
  /** Where the certificate comes from; default: the TLS socket. A header is never read unless a source says so. */
  readonly certificate?: CertificateSource;
  /** What is demanded of the token; a function where it depends on the request (its subject, say). */
  readonly requirement?: RouteRequirement | ((context: Context) => RouteRequirement);
  /** Whose token it must be, where the resource server has several issuers. */
  readonly issuer?: string | ((context: Context) => string);
  /** The protection space in challenges; default: the resource server's. */
  readonly realm?: string;
  /** The metadata that challenges name (RFC 9728 §5.1), or their URL. */
  readonly resourceMetadata?: ProtectedResourceMetadata | string;
  /**
   * Told of every refusal before it is answered: `code` and `reason` are for the operator's log. One that throws, or
   * rejects, changes no answer; the process is warned once.
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

/** A request at the door. */
interface Arrival<Context> {
  readonly context: Context;
  readonly request: NodeRequest;
  /** What a body parser made of the body, when one ran before. */
  readonly body: unknown;
  /** The target of the request line as it came, before any router has cut something off. */
  readonly target: string | undefined;
  /** Emits `close` when the client is gone: the response, or an upgrade's socket; else the request's socket is taken. */
  readonly connection: Partial<Connection>;
  /** What the route demands, instead of what the protection does. */
  readonly requirement?: (context: Context) => RouteRequirement;
}

type Connection = EventEmitter & { readonly destroyed?: boolean };

/** `gone`: the client is not there any more, and nobody to answer. */
type Entrance =
  | { readonly kind: "granted"; readonly accessToken: AccessToken }
  | { readonly kind: "refused"; readonly answer: HttpAnswer }
  | { readonly kind: "gone" };

export interface Protection<Context> {
  enter(arrival: Arrival<Context>): Promise<Entrance>;
  /** Refuses a request that was let in before. */
  refuse(code: "scope_insufficient" | "request_malformed", context: Context, details: RefuseDetails): HttpAnswer;
}

/** The requests that are in, with what the later demands of a route need. */
const admissions = new WeakMap<
  NodeRequest,
  { readonly accessToken: AccessToken; readonly refuse: (scopes: readonly string[]) => HttpAnswer }
>();

const gone: Entrance = Object.freeze({ kind: "gone" });

/**
 * What stands between a framework and the resource server; every entry for a framework is a thin layer over it.
 *
 * The client's leaving ends the waiting of its own request and of no other. Rejects with faults only, and whatever was
 * thrown as an `Error`: some frameworks take `undefined` for leave to go on.
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
 * What a route demands besides, of a request that is in: `undefined` when its token covers the scopes, else the answer.
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

/** The stand-ins for responses that some programs hand to middleware have no events. */
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
 * Checks the option `requirement`: what a route demands, or a function of the request that says it.
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
    // A function that forgot to return something must not have demanded nothing.
    if (demanded === undefined) throw optionError("requirement", "gave nothing for this request");
    return readRequirement(demanded);
  };
}

function readIssuer<Context>(given: ProtectionOptions<Context>["issuer"]): (context: Context) => string | undefined {
  if (given === undefined || typeof given === "string") return () => given;
  return (context) => {
    const issuer = disown(given(context) as string | undefined);
    if (typeof issuer !== "string") throw optionError("issuer", "gave no name for this request");
    return issuer;
  };
}

/** Whether this very process ends the connection's TLS. */
function isEncrypted(request: NodeRequest): boolean {
  const socket = peerSocketOf(request) as { readonly encrypted?: boolean } | undefined;
  return socket?.encrypted === true;
}
